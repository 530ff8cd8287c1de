import type { V1Pod } from '@kubernetes/client-node';
import { AWS_NODE, CILIUM, CILIUM_OPERATOR, KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeCni, ObservedCluster, ObservedNode, PodName } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { isUserPod } from '../../domain/addOns.js';
import { MIRROR_ANNOTATION } from '../../domain/kubernetes/drain.js';
import { controllerOf } from '../../domain/kubernetes/resources.js';
import { mapPages } from '../clients/pages.js';
import { readable } from './lists.js';
import { milliCpu, quantity } from './quantity.js';

const POD_ENI = 'vpc.amazonaws.com/pod-eni';

/** What preflight wants to know of one pod. */
export interface SeenPod extends PodName {
  uid: string;
  /** Agent of aws-node or of Cilium, or Cilium's operator, that is not on its way out. */
  agent?: 'aws' | 'cilium' | 'operator';
  labels: Readonly<Record<string, string>>;
  hostNetwork: boolean;
  /** Static pods of the kubelet: they do not move. */
  mirror: boolean;
  /** Kind of its controller; absent for a bare pod. */
  controller?: string;
  /** Name of the Deployment behind its ReplicaSet. */
  deployment?: string;
  hostPort: boolean;
  emptyDir: boolean;
  podEni: boolean;
  cpu: number;
  memory: number;
}

/** Every pod that is not over. One paginated list for all that preflight wants to know of pods. */
export async function livePods(kube: KubeClients): Promise<SeenPod[]> {
  const pods = await readable(
    mapPages((page) => kube.core.listPodForAllNamespaces(page), (pod) => (isOver(pod) ? undefined : seen(pod))),
    [],
  );
  return pods.flatMap((pod) => pod ?? []);
}

function isOver(pod: V1Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** A pod, reduced. */
export function seen(pod: V1Pod): SeenPod {
  const { metadata, spec } = pod;
  const hostNetwork = spec?.hostNetwork === true;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const running = spec?.containers ?? [];
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    node: spec?.nodeName,
    labels: metadata?.labels ?? {},
    agent: agentOf(pod),
    hostNetwork,
    mirror: metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined,
    controller: controllerOf(metadata)?.kind,
    deployment: deploymentOf(pod),
    hostPort: !hostNetwork && containers.some(({ ports = [] }) => ports.some((port) => (port.hostPort ?? 0) > 0)),
    emptyDir: (spec?.volumes ?? []).some((volume) => volume.emptyDir !== undefined),
    podEni: containers.some(({ resources }) => resources?.limits?.[POD_ENI] !== undefined || resources?.requests?.[POD_ENI] !== undefined),
    cpu: running.reduce((sum, { resources }) => sum + milliCpu(resources?.requests?.['cpu']), 0),
    memory: running.reduce((sum, { resources }) => sum + quantity(resources?.requests?.['memory']), 0),
  };
}

/** The Deployment controller names a ReplicaSet after itself and the hash of the template, which its pods bear as a label. */
function deploymentOf({ metadata }: V1Pod): string | undefined {
  const owner = controllerOf(metadata);
  const end = `-${metadata?.labels?.['pod-template-hash'] ?? ''}`;
  return owner?.kind === 'ReplicaSet' && end !== '-' && owner.name.endsWith(end) ? owner.name.slice(0, -end.length) : undefined;
}

function agentOf({ metadata }: V1Pod): SeenPod['agent'] {
  if (metadata?.namespace !== KUBE_SYSTEM || metadata.deletionTimestamp !== undefined) return undefined;
  switch (metadata.labels?.['k8s-app']) {
    case AWS_NODE:
      return 'aws';
    case CILIUM:
      return 'cilium';
    default:
      return metadata.labels?.['name'] === CILIUM_OPERATOR ? 'operator' : undefined;
  }
}

/** Which agents stand on each node, by the pods that are there and not going. */
export function agentsByNode(pods: readonly SeenPod[]): Map<string, NodeCni> {
  const agents = new Map<string, NodeCni>();
  for (const { node, agent } of pods) {
    if (node === undefined || agent === undefined || agent === 'operator') continue;
    const known = agents.get(node);
    agents.set(node, known === undefined || known === agent ? agent : 'both');
  }
  return agents;
}

/** What the pods of each node ask for. */
export function loadByNode(pods: readonly SeenPod[]): Map<string, ObservedNode['load']> {
  const loads = new Map<string, ObservedNode['load']>();
  for (const pod of pods) {
    if (pod.node === undefined) continue;
    const load = loads.get(pod.node) ?? { pods: 0, addresses: 0, cpu: 0, memory: 0 };
    // A DaemonSet's pods are on every node already and do not move: they count as pods there, not as load to move.
    const moves = pod.controller !== 'DaemonSet' && !pod.mirror;
    load.pods += 1;
    if (!pod.hostNetwork && moves) load.addresses += 1;
    load.cpu += moves ? pod.cpu : 0;
    load.memory += moves ? pod.memory : 0;
    loads.set(pod.node, load);
  }
  return loads;
}

/** The pods that matter for hazards; pods on nodes that are left out do not move and are not looked at. */
export function podHazards(pods: readonly SeenPod[], leftOut: ReadonlySet<string>): ObservedCluster['pods'] {
  const here = pods.filter(({ node, mirror }) => !mirror && !leftOut.has(node ?? ''));
  return {
    total: pods.length,
    hostPort: here.filter((pod) => pod.hostPort).map(podName),
    bare: here.filter((pod) => pod.controller === undefined).map(podName),
    emptyDir: here.filter((pod) => pod.emptyDir && pod.controller !== 'DaemonSet').map(podName),
    podEni: here.filter((pod) => pod.podEni).map(podName),
    user: here.filter(({ namespace, controller }) => isUserPod({ namespace, controller })).map(podName),
  };
}

function podName({ namespace, name, node }: SeenPod): PodName {
  return { namespace, name, ...(node === undefined ? {} : { node }) };
}
