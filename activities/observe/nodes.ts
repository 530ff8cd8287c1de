import type { V1Node } from '@kubernetes/client-node';
import type { ObservedNode } from '../../domain/observation.js';
import type { Clients } from '../clients/index.js';
import { ownersOf } from '../drivers/owners.js';
import { isCiliumNodeOf } from '../kubernetes/ciliumResources.js';
import type { CiliumNodeItem } from '../kubernetes/ciliumResources.js';
import { allPages } from '../clients/pages.js';
import { customObjects, readable } from './lists.js';
import { agentsByNode, loadByNode } from './pods.js';
import type { SeenPod } from './pods.js';
import { milliCpu, quantity } from './quantity.js';

/** `aws:///eu-west-1a/i-0abc…` and the region form of hybrid providers: only an EC2 instance has one of these. */
const INSTANCE = /\/(i-[0-9a-f]+)$/;

/** Nodes with what their drivers, their pods and CiliumNodes say of them; Auto Scaling groups are added from AWS. */
export async function observeNodes(clients: Clients, pods: readonly SeenPod[]): Promise<ObservedNode[]> {
  const { kube } = clients;
  const [nodes, ciliumNodes] = await Promise.all([
    readable(allPages((page) => kube.core.listNode(page)), []),
    customObjects<CiliumNodeItem>((page) => kube.custom.listClusterCustomObject({ group: 'cilium.io', version: 'v2', plural: 'ciliumnodes', ...page })),
  ]);
  const owners = await ownersOf(clients, nodes, (places) => readable(places, new Map()));
  const agents = agentsByNode(pods);
  const loads = loadByNode(pods);
  const operators = new Set(pods.flatMap(({ agent, node }) => (agent === 'operator' && node !== undefined ? [node] : [])));
  const known = new Map(ciliumNodes.map((item) => [item.metadata?.name ?? '', item]));
  return nodes.map((node) => {
    const name = node.metadata?.name ?? '';
    const ciliumNode = known.get(name);
    return {
      ...identity(node),
      ...facts(node),
      ...owners.get(name),
      cni: agents.get(name) ?? 'none',
      hasCiliumNode: ciliumNode !== undefined && isCiliumNodeOf(ciliumNode, node),
      hostsOperator: operators.has(name),
      load: loads.get(name) ?? { pods: 0, addresses: 0, cpu: 0, memory: 0 },
    };
  });
}

function identity(node: V1Node): Pick<ObservedNode, 'name' | 'uid' | 'created' | 'instanceId' | 'zone' | 'instanceType'> {
  const labels = node.metadata?.labels ?? {};
  return {
    name: node.metadata?.name ?? '',
    uid: node.metadata?.uid ?? '',
    created: node.metadata?.creationTimestamp?.toISOString() ?? '',
    instanceId: INSTANCE.exec(node.spec?.providerID ?? '')?.[1],
    zone: labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'],
    instanceType: labels['node.kubernetes.io/instance-type'] ?? labels['beta.kubernetes.io/instance-type'],
  };
}

function facts(node: V1Node): Omit<ObservedNode, keyof ReturnType<typeof identity> | 'cni' | 'hasCiliumNode' | 'hostsOperator' | 'load' | 'group' | 'ends' | 'instanceState' | 'leftOut'> {
  const labels = node.metadata?.labels ?? {};
  const allocatable = node.status?.allocatable ?? {};
  return {
    ready: node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    unschedulable: node.spec?.unschedulable === true,
    labels,
    taints: (node.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? {} : { value }) })),
    osImage: node.status?.nodeInfo?.osImage ?? '',
    os: labels['kubernetes.io/os'] ?? node.status?.nodeInfo?.operatingSystem ?? '',
    maxPods: quantity(allocatable['pods']),
    allocatable: { cpu: milliCpu(allocatable['cpu']), memory: quantity(allocatable['memory']) },
    internalIp: node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address,
  };
}
