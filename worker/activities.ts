import { activityTemporalGateway } from '../activities/clients/index.js';
import type { ClientPool } from '../activities/clients/index.js';
import { createFleetActivities } from '../activities/fleet/index.js';
import type { FleetActivities } from '../activities/fleet/api.js';
import { activityFleetGateway } from '../activities/fleet/gateway.js';
import { createActivities } from '../activities/index.js';
import type { Activities } from '../activities/api.js';
import { chartFolder } from './cache.js';

/** The activities of a worker process, each on clients of the cluster that its input names. */
export function workerActivities(pool: ClientPool): Activities & FleetActivities {
  return {
    ...createActivities({ pool, temporal: activityTemporalGateway(), cacheDir: chartFolder() }),
    ...createFleetActivities({ pool, gateway: activityFleetGateway() }),
  };
}
