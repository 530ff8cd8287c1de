import type { Hazard } from '../findings.js';
import { counted, finding } from './finding.js';

/** A probe that fails before anything was changed says nothing of the change. */
export const probeFails: Hazard = {
  id: 'probe-fails',
  title: 'A probe of the spec does not hold before anything is changed',
  check({ cluster: { probes } }) {
    if (probes.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: probes.map(({ object, reason }) => `${object}: ${reason}`),
        message: `${counted(probes.length, 'probe')} would fail after the first node, and the run would pause itself there.`,
        todo: 'Mend what it asks for, or correct spec.probes. It is asked for by this process: on another machine than the workers it may not be reached.',
      }),
    ];
  },
};
