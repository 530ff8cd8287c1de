import { nodeGuard } from './nodeGuard.js';

/** `kubectl cordon`: nothing new is scheduled there. A node that somebody else had cordoned is not ours, and stays so. */
export const cordonGuard = nodeGuard({
  kind: 'cordon',
  set: 'node',
  ours: 'true',
  path: ['spec', 'unschedulable'],
  read: (node) => (node.spec?.unschedulable === true ? 'true' : null),
  json: (value) => value === 'true',
});
