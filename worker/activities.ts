import { activityTemporalGateway } from '../activities/clients/index.js';
import type { ClientPool } from '../activities/clients/index.js';
import { createFleetActivities } from '../activities/fleet/index.js';
import type { FleetActivities } from '../activities/fleet/api.js';
import { activityFleetGateway } from '../activities/fleet/gateway.js';
import { createActivities } from '../activities/index.js';
import type { Activities } from '../activities/api.js';
import type { MeshActivities } from '../activities/mesh/api.js';
import { createMeshActivities } from '../activities/mesh/index.js';
import type { PolicyActivities } from '../activities/policy/api.js';
import { createPolicyActivities } from '../activities/policy/index.js';
import { chartFolder } from './cache.js';

/** The activities of a worker process, each on clients of the cluster that its input names. */
export function workerActivities(pool: ClientPool): Activities & FleetActivities & MeshActivities & PolicyActivities {
  const deps = { pool, temporal: activityTemporalGateway(), cacheDir: chartFolder() };
  return { ...createActivities(deps), ...createFleetActivities({ pool, gateway: activityFleetGateway() }), ...createMeshActivities(deps), ...createPolicyActivities(deps) };
}
