import type { ActivityDeps } from '../index.js';
import type { PolicyActivities } from './api.js';
import { inspectPolicy } from './inspect.js';
import { endProbes, lookProbes, startProbes } from './probes.js';
import { applyPolicy, removePolicy } from './write.js';

/** Activities of policies over several clusters, on the clients of the clusters that their input names. */
export function createPolicyActivities({ pool }: Pick<ActivityDeps, 'pool'>): PolicyActivities {
  return {
    inspectPolicy: async (input) => inspectPolicy(await pool.for(input.cluster.cluster), input),
    applyPolicy: async (input) => applyPolicy(await pool.for(input.cluster.cluster), input),
    removePolicy: async (input) => removePolicy(await pool.for(input.cluster.cluster), input),
    startProbes: async (input) => startProbes({ from: await pool.for(input.from.cluster), to: await pool.for(input.to.cluster) }, input),
    lookProbes: async (input) => lookProbes(await pool.for(input.from.cluster), input),
    endProbes: async (input) => endProbes(await pool.for(input.from.cluster), input),
  };
}
