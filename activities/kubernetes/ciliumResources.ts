import type { CiliumNodeLike } from '../../domain/kubernetes/ciliumNode.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

const GROUP = { group: 'cilium.io', version: 'v2' } as const;
const PAGE = 500;

/** The CiliumNode of a node; undefined where there is none, or no such CRD. */
export async function readCiliumNode(clients: Clients, name: string): Promise<CiliumNodeLike | undefined> {
  const found: unknown = await orUndefined(clients.kube.custom.getClusterCustomObject({ ...GROUP, plural: 'ciliumnodes', name }));
  return found as CiliumNodeLike | undefined;
}

/** How many nodes ever ran Cilium's agent and are still there. */
export async function countCiliumNodes(clients: Clients): Promise<number> {
  return (await listNames(clients, 'ciliumnodes')).size;
}

/** `namespace/name` of every CiliumEndpoint: one for each pod that Cilium networks. */
export function listEndpoints(clients: Clients): Promise<Set<string>> {
  return listNames(clients, 'ciliumendpoints');
}

/** Whether Cilium networks this pod. */
export async function hasEndpoint(clients: Clients, namespace: string, name: string): Promise<boolean> {
  return (await orUndefined(clients.kube.custom.getNamespacedCustomObject({ ...GROUP, plural: 'ciliumendpoints', namespace, name }))) !== undefined;
}

interface ListAnswer {
  items?: { metadata?: { namespace?: string; name?: string } }[];
  metadata?: { continue?: string };
}

async function listNames(clients: Clients, plural: string): Promise<Set<string>> {
  const names = new Set<string>();
  let next: string | undefined;
  do {
    const answer = (await orUndefined(clients.kube.custom.listClusterCustomObject({ ...GROUP, plural, limit: PAGE, _continue: next }))) as ListAnswer | undefined;
    for (const { metadata } of answer?.items ?? []) names.add(`${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`);
    next = answer?.metadata?.continue || undefined;
  } while (next !== undefined);
  return names;
}
