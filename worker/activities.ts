import { activityTemporalGateway } from '../activities/clients/index.js';
import type { ClientPool } from '../activities/clients/index.js';
import { createActivities } from '../activities/index.js';
import type { Activities } from '../activities/api.js';
import { chartFolder } from './cache.js';

/** The activities of a worker process, each on clients of the cluster that its input names. */
export function workerActivities(pool: ClientPool): Activities {
  return createActivities({ pool, temporal: activityTemporalGateway(), cacheDir: chartFolder() });
}
