import { activityTemporalGateway, ClientPool } from '../activities/clients/index.js';
import { createActivities } from '../activities/index.js';
import type { Activities } from '../activities/api.js';
import { chartFolder } from './cache.js';

/** The activities of a worker process, each on clients of the cluster that its input names. */
export function workerActivities(): Activities {
  return createActivities({ pool: new ClientPool(), temporal: activityTemporalGateway(), cacheDir: chartFolder() });
}
