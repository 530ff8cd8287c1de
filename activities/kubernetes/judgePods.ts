import type { V1Node } from '@kubernetes/client-node';
import { addressesOf } from '../../domain/kubernetes/ciliumNode.js';
import type { CiliumNodeLike } from '../../domain/kubernetes/ciliumNode.js';
import { fullName, podFinished } from '../../domain/kubernetes/resources.js';
import { needsEndpoint, unmanagedBlockers } from '../../domain/kubernetes/unmanaged.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Clients } from '../clients/index.js';
import { hasEndpoint } from './ciliumResources.js';
import { each } from './each.js';
import { podsOnNode } from './lists.js';

/** What a new node's pods say of its network: each is one of Cilium's, and there are addresses for more. Only this node's are read. */
export async function judgePods(clients: Clients, node: V1Node, ciliumNode: CiliumNodeLike): Promise<Blocker[]> {
  const name = node.metadata?.name ?? '';
  const pods = (await podsOnNode(clients, name)).filter((pod) => !podFinished(pod));
  // Read after the pods: an endpoint is there before its pod runs.
  const unmanaged = await each(pods.filter(needsEndpoint), async ({ metadata }) => {
    const known = await hasEndpoint(clients, metadata?.namespace ?? '', metadata?.name ?? '');
    return known ? [] : [fullName(metadata)];
  });
  const blockers = unmanagedBlockers(unmanaged.flat(), `node ${name}`);
  if (blockers.length > 0) return blockers;
  // No more pods fit, so none can want for an address.
  if (pods.length >= Number(node.status?.allocatable?.['pods'] ?? Infinity)) return [];
  const { count, error } = addressesOf(ciliumNode);
  if (count === undefined || count.free > 0) return [];
  return [
    {
      object: `CiliumNode ${name}`,
      reason: `has no free address: all ${count.all} are in use${error === undefined ? '' : `; ${error}`}`,
      todo: 'cilium-operator adds some while the instance and its subnet have room: kubectl -n kube-system logs deploy/cilium-operator',
    },
  ];
}
