import type { Hazard } from '../findings.js';
import { counted, finding } from './finding.js';

/** Verb by verb, so that a role can be mended in one go. */
export const accessDenied: Hazard = {
  id: 'access-denied',
  title: 'The worker may not do something that the migration will do',
  check({ cluster }) {
    const denied = cluster.deniedAccess;
    if (denied.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: denied.map(({ verb, resource, namespace }) => `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`),
        message: `Kubernetes refuses ${counted(denied.length, 'access')} that the migration will use; it would stop half-way, at the first of them.`,
        todo: 'Bind the roles of deploy/rbac.yaml (for jobs: deploy/rbac-probes.yaml) to the identity that the worker uses (kubectl auth whoami shows it).',
      }),
    ];
  },
};
