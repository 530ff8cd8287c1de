import { windowAt } from '../../domain/fleet/windows.js';
import type { ClientPool } from '../clients/index.js';
import type { FleetActivities } from './api.js';
import { findClusters } from './findClusters.js';
import type { FleetGateway } from './gateway.js';
import { lookFleet } from './lookFleet.js';
import { readClusterIds } from './readClusterIds.js';
import { readFleet } from './readFleet.js';

export interface FleetDeps {
  pool: ClientPool;
  gateway: FleetGateway;
}

/** Every activity of a fleet. */
export function createFleetActivities({ pool, gateway }: FleetDeps): FleetActivities {
  return {
    readFleet: (input) => Promise.resolve().then(() => readFleet(input)),
    findClusters: ({ select }) => findClusters(select),
    readClusterIds: ({ clusters }) => readClusterIds(clusters, (ref) => pool.for(ref)),
    fleetWindow: ({ windows, at }) => Promise.resolve().then(() => windowAt(windows, at)),
    lookFleet: (input) => lookFleet(input, gateway),
  };
}
