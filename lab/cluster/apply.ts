import type { KubeClient, KubeObject } from './client.js';
import { isStatus } from './client.js';

interface Kind {
  group: string;
  plural: string;
  namespaced: boolean;
}

/** The kinds that the lab itself makes: no discovery, no surprises. */
const kinds: Record<string, Kind> = {
  Namespace: { group: '/api/v1', plural: 'namespaces', namespaced: false },
  ConfigMap: { group: '/api/v1', plural: 'configmaps', namespaced: true },
  Service: { group: '/api/v1', plural: 'services', namespaced: true },
  ServiceAccount: { group: '/api/v1', plural: 'serviceaccounts', namespaced: true },
  DaemonSet: { group: '/apis/apps/v1', plural: 'daemonsets', namespaced: true },
  Deployment: { group: '/apis/apps/v1', plural: 'deployments', namespaced: true },
  StatefulSet: { group: '/apis/apps/v1', plural: 'statefulsets', namespaced: true },
  PodDisruptionBudget: { group: '/apis/policy/v1', plural: 'poddisruptionbudgets', namespaced: true },
  ClusterRole: { group: '/apis/rbac.authorization.k8s.io/v1', plural: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { group: '/apis/rbac.authorization.k8s.io/v1', plural: 'clusterrolebindings', namespaced: false },
  PriorityClass: { group: '/apis/scheduling.k8s.io/v1', plural: 'priorityclasses', namespaced: false },
  CustomResourceDefinition: { group: '/apis/apiextensions.k8s.io/v1', plural: 'customresourcedefinitions', namespaced: false },
};

/** The URL path of an object, or of its collection. */
export function pathOf(object: KubeObject, collection = false): string {
  const kind = kinds[object.kind ?? ''];
  if (kind === undefined) throw new Error(`the lab has no path for kind ${String(object.kind)}`);
  const namespace = kind.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : '';
  const base = `${kind.group}${namespace}/${kind.plural}`;
  return collection ? base : `${base}/${object.metadata.name}`;
}

/** Creates what is not there yet, as `manager`; namespaces and the like must come first in the list. */
export async function createAll(client: KubeClient, objects: KubeObject[], manager: string): Promise<void> {
  const first = objects.filter((object) => ['Namespace', 'PriorityClass'].includes(object.kind ?? ''));
  const rest = objects.filter((object) => !first.includes(object));
  for (const batch of [first, rest]) {
    await Promise.all(batch.map((object) => createOne(client, object, manager)));
  }
}

async function createOne(client: KubeClient, object: KubeObject, manager: string): Promise<void> {
  try {
    await client.create(`${pathOf(object, true)}?fieldManager=${manager}`, object);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}
