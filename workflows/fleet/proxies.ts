import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { FleetActivities } from '../../activities/fleet/api.js';

/** As workflows/activityProxies.ts: no limit of attempts, and heartbeats by the worker's interceptor. */
const common = { startToCloseTimeout: '2m', heartbeatTimeout: '10s' } as const;
const steady = { ...common, retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' } } as const;

export const fleetActs: Pick<FleetActivities, 'readFleet' | 'findClusters' | 'fleetWindow'> = proxyActivities<FleetActivities>(steady);

/** On the task queue where a cluster can be reached. */
export function readClusterIdsOn(taskQueue: string | undefined): FleetActivities['readClusterIds'] {
  return proxyActivities<FleetActivities>({ ...steady, startToCloseTimeout: '5m', ...(taskQueue === undefined ? {} : { taskQueue }) }).readClusterIds;
}

/** The look at all clusters under way; asked anew when one more is started, so it need not be heard out. */
export const { lookFleet } = proxyActivities<FleetActivities>({
  ...common,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '500ms', backoffCoefficient: 1.1, maximumInterval: '10s' },
});
