import type { V1Pod } from '@kubernetes/client-node';
import { fullName } from '../../domain/kubernetes/resources.js';
import { needsEndpoint } from '../../domain/kubernetes/unmanaged.js';
import type { Clients } from '../clients/index.js';
import { listEndpoints } from './ciliumResources.js';
import { mapPods } from './lists.js';
import type { Agents } from './lists.js';

/** Pods that some other CNI networked: running, on the pod network of a node with Cilium's agent, without a CiliumEndpoint. Of each what `keep` says. */
export async function unmanagedPods<T>(clients: Clients, { ciliumPods }: Pick<Agents, 'ciliumPods'>, keep: (pod: V1Pod) => T): Promise<T[]> {
  const candidates = await mapPods(clients, (pod) =>
    ciliumPods.has(pod.spec?.nodeName ?? '') && needsEndpoint(pod) ? { name: fullName(pod.metadata), kept: keep(pod) } : undefined,
  );
  if (candidates.length === 0) return [];
  // Read after the pods: an endpoint is there before its pod runs.
  const endpoints = await listEndpoints(clients);
  return candidates.filter(({ name }) => !endpoints.has(name)).map(({ kept }) => kept);
}
