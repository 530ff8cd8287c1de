import type { Hazard } from '../findings.js';
import { LEASE_NAME } from '../names.js';
import { finding } from './finding.js';

export const leaseHeld: Hazard = {
  id: 'lease-held',
  title: 'Somebody else holds this cluster',
  check({ cluster }) {
    const { lease } = cluster;
    if (lease === null || lease.whose === 'ours') return [];
    const since = lease.renewTime === undefined ? '' : `, last renewed ${lease.renewTime}`;
    const release = `If that run is dead for good: ciliate release -f SPEC --holder '${lease.holder}'`;
    const blocker = lease.whose === 'other';
    return [
      finding(this.id, blocker ? 'blocker' : 'warning', {
        objects: [`Lease kube-system/${LEASE_NAME}`],
        message: blocker
          ? `Held by ${lease.holder}${since}. It belongs to another Temporal, whose runs cannot be asked from here; expiry alone never hands a cluster over.`
          : `Held by ${lease.holder}${since}. It is taken over only if that run is closed or no longer known.`,
        todo: blocker ? `Look there for the run. ${release}` : `ciliate status shows a run that is still open. ${release}`,
      }),
    ];
  },
};
