export { observe } from './observe.js';
export type { ObserveInput } from './observe.js';
export { buildPlan, buildPlans, createPreflight, deniedTo } from './preflight.js';
export { buildRollbackPlan } from './rollback.js';
export type { PreflightDeps, PreflightInput } from './preflight.js';
export { KUBERNETES_ACCESS, MIGRATOR_ACTIONS, OPERATOR_ACTIONS, OPERATOR_OPTIONAL_ACTIONS, probeAccess, PROVING_ACTIONS, restartAccess, ROLLBACK_ACTIONS } from './permissions.js';
export { findEksCluster } from './eksCluster.js';
