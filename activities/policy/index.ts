import type { ActivityDeps } from '../index.js';
import type { PolicyActivities } from './api.js';
import { inspectPolicy } from './inspect.js';
import { endPolicyProbes, lookPolicyProbes, startPolicyProbes } from './probes.js';
import { applyPolicy, removePolicy } from './write.js';

/** Activities of policies over several clusters, on the clients of the clusters that their input names. */
export function createPolicyActivities({ pool }: Pick<ActivityDeps, 'pool'>): PolicyActivities {
  return {
    inspectPolicy: async (input) => inspectPolicy(await pool.for(input.cluster.cluster), input),
    applyPolicy: async (input) => applyPolicy(await pool.for(input.cluster.cluster), input),
    removePolicy: async (input) => removePolicy(await pool.for(input.cluster.cluster), input),
    startPolicyProbes: async (input) => startPolicyProbes({ from: await pool.for(input.from.cluster), to: await pool.for(input.to.cluster) }, input),
    lookPolicyProbes: async (input) => lookPolicyProbes(await pool.for(input.from.cluster), input),
    endPolicyProbes: async (input) => endPolicyProbes(await pool.for(input.from.cluster), input),
  };
}
