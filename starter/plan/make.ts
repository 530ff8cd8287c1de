import { ClientPool } from '../../activities/clients/index.js';
import { buildPlan } from '../../activities/observe/index.js';
import type { Plan } from '../../domain/plan.js';
import { directly, expectKubeconfig } from '../direct.js';
import { chartFolder } from '../paths.js';
import { readSpec } from '../spec/read.js';

/**
 * Observes the cluster of a SPEC and plans its migration, from this machine and without Temporal; reads only.
 * @throws ExitError 2 (SPEC), 3 (cluster or AWS out of reach), 1 (refused for good)
 */
export async function makePlan(file: string): Promise<Plan> {
  const manifest = readSpec(file);
  expectKubeconfig(manifest);
  return directly(() => buildPlan({ pool: new ClientPool(), chartCache: chartFolder() }, { manifest }));
}
