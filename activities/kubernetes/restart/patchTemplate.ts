import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { RestartOwner } from '../../../domain/kubernetes/restart.js';
import { FIELD_MANAGER, RESTARTED_AT_ANNOTATION, RESTARTED_BY_ANNOTATION } from '../../../domain/names.js';
import { isConflict, isNotFound } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';

const STRATEGIC = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);

export interface Restart {
  /** First run id of the migration. */
  mark: string;
  /** As it was read: the patch is refused where it has changed since, its mark perhaps too. */
  resourceVersion: string | undefined;
}

/** What `kubectl rollout restart` does, with our mark beside. False: it is another by now, or gone; it is read again. */
export async function patchTemplate({ kube: { apps } }: Clients, { kind, namespace, name }: RestartOwner, { mark, resourceVersion }: Restart): Promise<boolean> {
  const annotations = { [RESTARTED_AT_ANNOTATION]: new Date().toISOString(), [RESTARTED_BY_ANNOTATION]: mark };
  const body = { metadata: { resourceVersion }, spec: { template: { metadata: { annotations } } } };
  const request = { namespace, name, body, fieldManager: FIELD_MANAGER };
  try {
    if (kind === 'Deployment') await apps.patchNamespacedDeployment(request, STRATEGIC);
    else if (kind === 'StatefulSet') await apps.patchNamespacedStatefulSet(request, STRATEGIC);
    else await apps.patchNamespacedDaemonSet(request, STRATEGIC);
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}
