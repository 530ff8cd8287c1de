import type { V1Node } from '@kubernetes/client-node';
import type { CiliumNodeLike } from '../../domain/kubernetes/ciliumNode.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { mapCustomPages } from '../clients/pages.js';
import type { Agents } from './lists.js';

const GROUP = { group: 'cilium.io', version: 'v2' } as const;

/** The CiliumNode of a node; undefined where there is none, or no such CRD. */
export async function readCiliumNode(clients: Clients, name: string): Promise<CiliumNodeLike | undefined> {
  const found: unknown = await orUndefined(clients.kube.custom.getClusterCustomObject({ ...GROUP, plural: 'ciliumnodes', name }));
  return found as CiliumNodeLike | undefined;
}

/**
 * Names of the nodes that run Cilium's agent, or have run it: an agent's pod, or a CiliumNode of this very node. One that a node left
 * behind whose name another one has now says nothing.
 */
export async function nodesOfCilium(clients: Clients, nodes: readonly V1Node[], { ciliumPods }: Pick<Agents, 'ciliumPods'>): Promise<Set<string>> {
  const byName = new Map(nodes.map((node) => [node.metadata?.name ?? '', node]));
  const ofCilium = await mapAll(clients, 'ciliumnodes', (item: CiliumNodeItem) => {
    const node = byName.get(item.metadata?.name ?? '');
    return node !== undefined && isCiliumNodeOf(item, node) ? node.metadata?.name : undefined;
  });
  const known = new Set(ofCilium);
  return new Set([...byName.keys()].filter((name) => ciliumPods.has(name) || known.has(name)));
}

export interface CiliumNodeItem extends Item {
  spec?: { 'instance-id'?: string };
}

/** Whether a CiliumNode is this very node's, and not one's that had its name before. */
export function isCiliumNodeOf({ metadata, spec }: CiliumNodeItem, node: V1Node): boolean {
  const instance = spec?.['instance-id'];
  if (instance !== undefined && instance !== '') return instance === instanceIdOf(node);
  const owner = metadata?.ownerReferences?.find(({ kind }) => kind === 'Node');
  return owner === undefined || owner.uid === node.metadata?.uid;
}

/** How many policies of Cilium's own kinds there are. */
export async function countPolicies(clients: Clients): Promise<number> {
  const kinds = await Promise.all(['ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies'].map((plural) => mapAll(clients, plural, () => 1)));
  return kinds.flat().length;
}

/** `namespace/name` of every CiliumEndpoint: one for each pod that Cilium networks. */
export function listEndpoints(clients: Clients): Promise<Set<string>> {
  return listNames(clients, 'ciliumendpoints');
}

/** Whether Cilium networks this pod. */
export async function hasEndpoint(clients: Clients, namespace: string, name: string): Promise<boolean> {
  return (await orUndefined(clients.kube.custom.getNamespacedCustomObject({ ...GROUP, plural: 'ciliumendpoints', namespace, name }))) !== undefined;
}

interface Item {
  metadata?: { namespace?: string; name?: string; ownerReferences?: { kind?: string; uid?: string }[] };
}

async function listNames(clients: Clients, plural: string): Promise<Set<string>> {
  return new Set(await mapAll(clients, plural, ({ metadata }: Item) => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`));
}

/** Nothing where there is no such CRD. */
function mapAll<T, R>(clients: Clients, plural: string, keep: (item: T) => R): Promise<R[]> {
  return mapCustomPages((page) => clients.kube.custom.listClusterCustomObject({ ...GROUP, plural, ...page }), keep);
}
