import type { V1Pod } from '@kubernetes/client-node';
import { AWS_NODE, CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import type { NodeCni, ObservedCluster, ObservedNode, PodName } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { allPages, readable } from './lists.js';
import { milliCpu, quantity } from './quantity.js';

const MIRROR = 'kubernetes.io/config.mirror';
const POD_ENI = 'vpc.amazonaws.com/pod-eni';

/** Every pod that is not over. One paginated list for all that preflight wants to know of pods. */
export async function livePods(kube: KubeClients): Promise<V1Pod[]> {
  const pods = await readable(allPages((page) => kube.core.listPodForAllNamespaces(page)), []);
  return pods.filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
}

/** Which agents stand on each node, by the pods that are there and not going. */
export function agentsByNode(pods: readonly V1Pod[]): Map<string, NodeCni> {
  const agents = new Map<string, NodeCni>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    const app = pod.metadata?.labels?.['k8s-app'];
    if (node === undefined || pod.metadata?.namespace !== KUBE_SYSTEM || pod.metadata.deletionTimestamp !== undefined) continue;
    if (app === AWS_NODE) agents.set(node, agents.get(node) === 'cilium' ? 'both' : (agents.get(node) ?? 'aws'));
    if (app === CILIUM) agents.set(node, agents.get(node) === 'aws' ? 'both' : (agents.get(node) ?? 'cilium'));
  }
  return agents;
}

/** What the pods of each node ask for. */
export function loadByNode(pods: readonly V1Pod[]): Map<string, ObservedNode['load']> {
  const loads = new Map<string, ObservedNode['load']>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined) continue;
    const load = loads.get(node) ?? { pods: 0, addresses: 0, cpu: 0, memory: 0 };
    const daemon = controllerOf(pod)?.kind === 'DaemonSet';
    load.pods += 1;
    if (pod.spec?.hostNetwork !== true) load.addresses += 1;
    for (const container of daemon ? [] : (pod.spec?.containers ?? [])) {
      // A DaemonSet's pods are on every node already and do not move.
      load.cpu += milliCpu(container.resources?.requests?.['cpu']);
      load.memory += quantity(container.resources?.requests?.['memory']);
    }
    loads.set(node, load);
  }
  return loads;
}

/** The pods that matter for hazards; pods on nodes that are left out do not move and are not looked at. */
export function podHazards(pods: readonly V1Pod[], leftOut: ReadonlySet<string>): ObservedCluster['pods'] {
  const moving = pods.filter((pod) => !leftOut.has(pod.spec?.nodeName ?? ''));
  return {
    total: pods.length,
    hostPort: moving.filter(hasHostPort).map(podName),
    bare: moving.filter((pod) => controllerOf(pod) === undefined && pod.metadata?.annotations?.[MIRROR] === undefined).map(podName),
    emptyDir: moving.filter((pod) => controllerOf(pod)?.kind !== 'DaemonSet' && isMovable(pod) && hasEmptyDir(pod)).map(podName),
    podEni: moving.filter(asksPodEni).map(podName),
  };
}

function podName(pod: V1Pod): PodName {
  return { namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '', ...(pod.spec?.nodeName === undefined ? {} : { node: pod.spec.nodeName }) };
}

function controllerOf(pod: V1Pod): { kind: string; name: string } | undefined {
  return pod.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

function isMovable(pod: V1Pod): boolean {
  return pod.metadata?.annotations?.[MIRROR] === undefined;
}

function hasEmptyDir(pod: V1Pod): boolean {
  return (pod.spec?.volumes ?? []).some((volume) => volume.emptyDir !== undefined);
}

function containersOf(pod: V1Pod) {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

function hasHostPort(pod: V1Pod): boolean {
  return pod.spec?.hostNetwork !== true && containersOf(pod).some((container) => (container.ports ?? []).some((port) => (port.hostPort ?? 0) > 0));
}

function asksPodEni(pod: V1Pod): boolean {
  return containersOf(pod).some(({ resources }) => resources?.limits?.[POD_ENI] !== undefined || resources?.requests?.[POD_ENI] !== undefined);
}
