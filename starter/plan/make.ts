import { ClientPool } from '../../activities/clients/index.js';
import { buildPlan, buildPlans, buildRollbackPlan } from '../../activities/observe/index.js';
import type { PreflightDeps, PreflightInput } from '../../activities/observe/index.js';
import { advise } from '../../domain/advice.js';
import type { Advice } from '../../domain/advice.js';
import type { Plan } from '../../domain/plan.js';
import type { RollbackPlan } from '../../domain/rollback/plan.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { directly, expectKubeconfig } from '../direct.js';
import { chartFolder } from '../paths.js';
import { readSpec } from '../spec/read.js';

/**
 * Observes the cluster of a SPEC and plans its migration, from this machine and without Temporal; reads only.
 * @throws ExitError 2 (SPEC), 3 (cluster or AWS out of reach), 1 (refused for good)
 */
export function makePlan(file: string): Promise<Plan> {
  return planned(readSpec(file), buildPlan);
}

/** The three strategies for the cluster of a SPEC, from one look at it. */
export async function makeAdvice(file: string): Promise<Advice> {
  const manifest = readSpec(file);
  return advise(await planned(manifest, buildPlans), manifest.spec.strategy);
}

/** The same for the way back. */
export function makeRollbackPlan(manifest: Manifest): Promise<RollbackPlan> {
  return planned(manifest, buildRollbackPlan);
}

async function planned<T>(manifest: Manifest, build: (deps: PreflightDeps, input: PreflightInput) => Promise<T>): Promise<T> {
  expectKubeconfig(manifest);
  return directly(() => build({ pool: new ClientPool(), chartCache: chartFolder() }, { manifest }));
}
