import type { V1Deployment } from '@kubernetes/client-node';
import { KUBE_SYSTEM, SCALE_DOWN_DISABLED_ANNOTATION } from '../../../domain/names.js';
import type { Clients } from '../../clients/index.js';
import type { SetGuard } from '../guard.js';
import { listNodes } from '../lists.js';
import { nodeGuard } from './nodeGuard.js';

const field = nodeGuard({
  kind: 'scale-down',
  set: 'changing',
  ours: 'true',
  path: ['metadata', 'annotations', SCALE_DOWN_DISABLED_ANNOTATION],
  read: (node) => node.metadata?.annotations?.[SCALE_DOWN_DISABLED_ANNOTATION] ?? null,
  json: (value) => value,
});

/** cluster-autoscaler removes no node while we change nodes; it may still add some. Nothing where there is none. */
export const scaleDownGuard: SetGuard = {
  ...field,
  async wanted(clients, set) {
    if (set !== 'changing' || !(await hasClusterAutoscaler(clients))) return [];
    return (await listNodes(clients)).map((node) => field.entryFor(node));
  },
};

const SELECTORS = ['app.kubernetes.io/name in (cluster-autoscaler,aws-cluster-autoscaler)', 'app in (cluster-autoscaler)', 'k8s-app in (cluster-autoscaler)'];

/** Whether a cluster-autoscaler runs: by the labels of its chart and manifests, or by name in kube-system. */
export async function hasClusterAutoscaler(clients: Clients): Promise<boolean> {
  const { apps } = clients.kube;
  const running = (deployments: V1Deployment[]): boolean => deployments.some((deployment) => (deployment.spec?.replicas ?? 1) > 0);
  for (const labelSelector of SELECTORS) {
    if (running((await apps.listDeploymentForAllNamespaces({ labelSelector })).items)) return true;
  }
  const { items } = await apps.listNamespacedDeployment({ namespace: KUBE_SYSTEM });
  return running(items.filter((deployment) => deployment.metadata?.name?.includes('cluster-autoscaler') === true));
}
