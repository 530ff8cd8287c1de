import { KUBE_SYSTEM } from '../names.js';
import { controllerOf } from './resources.js';
import type { Meta } from './resources.js';
import type { DrainSpec } from '../spec/schema.js';

/** What restarts its pods as one: a workload, or a bare pod (kind `Pod`). */
export interface RestartOwner {
  /** Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, `Pod`, or any other; `StatefulSet.apps.kruise.io` where another API group has such a kind. */
  kind: string;
  namespace: string;
  name: string;
}

/** Kind of a pod that nobody makes again. */
export const BARE = 'Pod';

type Controller = NonNullable<ReturnType<typeof controllerOf>>;

/** Whether nobody makes a pod again. What a pod makes (executors of Spark) nobody may make again once that pod has done its part. */
export function isBare(meta: Meta | undefined): boolean {
  return [undefined, BARE].includes(controllerOf(meta)?.kind);
}

/** Whether a restart leaves a pod as it is: a mirror pod, which no Eviction ends, or one that nobody makes again, unless those go too. */
export function isLeftAlone({ meta, mirror }: { meta: Meta | undefined; mirror: boolean }, barePods: DrainSpec['barePods']): boolean {
  return mirror || (barePods === 'block' && isBare(meta));
}

/** `Deployment shop/cart`. */
export function restartName({ kind, namespace, name }: RestartOwner): string {
  return `${kind} ${namespace}/${name}`;
}

/** Who makes a pod again: through its ReplicaSet to what made that. `parents`: controllers of ReplicaSets by `namespace/name`. */
export function rootOf(meta: Meta | undefined, parents: ReadonlyMap<string, Controller>): RestartOwner {
  const namespace = meta?.namespace ?? '';
  const direct = controllerOf(meta);
  if (direct === undefined || isBare(meta)) return { kind: BARE, namespace, name: meta?.name ?? '' };
  const parent = kindOf(direct) === 'ReplicaSet' ? parents.get(`${namespace}/${direct.name}`) : undefined;
  const root = parent ?? direct;
  return { kind: kindOf(root), namespace, name: root.name };
}

const IN_APPS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

/** Other API groups have kinds of the same names, which apps/v1 does not know. */
function kindOf({ kind, apiVersion = 'apps/v1' }: Controller): string {
  const [group = ''] = apiVersion.split('/');
  return IN_APPS.has(kind) && group !== 'apps' ? `${kind}.${group}` : kind;
}

/** The same at every call: by namespace, kind and name; kube-system last, and in it CoreDNS, which all others ask. */
export function restartOrder(owners: readonly RestartOwner[]): RestartOwner[] {
  return [...owners].sort((a, b) => late(a) - late(b) || compare(a.namespace, b.namespace) || compare(a.kind, b.kind) || compare(a.name, b.name));
}

function late({ namespace, name }: RestartOwner): number {
  if (namespace !== KUBE_SYSTEM) return 0;
  return name === 'coredns' ? 2 : 1;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
