import type { NodePageRequest } from '../activities/api.js';
import type { NodeResult } from '../domain/refresh.js';
import { acts } from './activityProxies.js';

/** Reads one page of filed results on a worker: who asks may have no way into the cluster. Of runs that have ended, too. */
export async function readNodePage(request: NodePageRequest): Promise<NodeResult[] | null> {
  return acts.readNodePage(request);
}
