import type { V1Node, V1ObjectMeta, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';

/** What is kept of each object: enough to plan with, a tenth of its size. Thousands of pods are held at once. */
export function keptOf<T extends V1Node | V1Pod | V1PodDisruptionBudget>(kind: 'Node' | 'Pod' | 'PodDisruptionBudget', object: T): T {
  switch (kind) {
    case 'Node':
      return keptNode(object as V1Node) as T;
    case 'Pod':
      return keptPod(object as V1Pod) as T;
    case 'PodDisruptionBudget':
      return keptBudget(object as V1PodDisruptionBudget) as T;
  }
}

/** Time stamps are texts on a watch, and Dates in a list. */
function keptMeta({ name, namespace, uid, labels, creationTimestamp, deletionTimestamp, resourceVersion }: V1ObjectMeta = {}): V1ObjectMeta {
  return { name, namespace, uid, labels, resourceVersion, ...dated({ creationTimestamp, deletionTimestamp }) };
}

function dated(times: Record<string, Date | undefined>): Record<string, Date | undefined> {
  return Object.fromEntries(Object.entries(times).map(([key, time]) => [key, time === undefined ? undefined : new Date(time)]));
}

function keptNode({ metadata, spec, status }: V1Node): V1Node {
  const { providerID, taints, unschedulable } = spec ?? {};
  return { metadata: keptMeta(metadata), spec: { providerID, taints, unschedulable }, status: { conditions: status?.conditions?.filter(({ type }) => type === 'Ready') } };
}

const MIRROR = 'kubernetes.io/config.mirror';

function keptPod({ metadata, spec, status }: V1Pod): V1Pod {
  const mirror = metadata?.annotations?.[MIRROR];
  const { nodeName, hostNetwork, priorityClassName, terminationGracePeriodSeconds } = spec ?? {};
  return {
    metadata: { ...keptMeta(metadata), ownerReferences: metadata?.ownerReferences, ...(mirror === undefined ? {} : { annotations: { [MIRROR]: mirror } }) },
    spec: { containers: [], nodeName, hostNetwork, priorityClassName, terminationGracePeriodSeconds },
    status: { phase: status?.phase, conditions: status?.conditions?.filter(({ type }) => type === 'Ready') },
  };
}

function keptBudget({ metadata, spec, status }: V1PodDisruptionBudget): V1PodDisruptionBudget {
  return { metadata: keptMeta(metadata), spec, status: status && { ...status, conditions: undefined, disruptedPods: undefined } };
}
