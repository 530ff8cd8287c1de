import type { ObservedCluster, ObservedLease } from '../../domain/observation.js';
import { KUBE_SYSTEM, LEASE_NAME } from '../../domain/names.js';
import type { KubeClients } from '../clients/index.js';
import { allPages } from '../clients/pages.js';
import { readable } from './lists.js';

/** DaemonSets of other network agents, by the names that their own manifests and charts give them. */
const AGENTS = /^(calico-node|canal|weave-net|antrea-agent|kube-router|kube-flannel(-ds.*)?|tigera-.*node|ovs-cni.*)$/;

type Neighbours = Pick<ObservedCluster, 'otherNetworkAgents' | 'clusterAutoscaler' | 'karpenter'>;

/** Others that touch nodes or their network. */
export async function observeNeighbours(kube: KubeClients): Promise<Neighbours> {
  const [daemonSets, deployments] = await Promise.all([
    readable(allPages((page) => kube.apps.listDaemonSetForAllNamespaces(page)), []),
    readable(allPages((page) => kube.apps.listDeploymentForAllNamespaces(page)), []),
  ]);
  // An agent that runs nowhere is no neighbour; one confined to the nodes of aws-node still is one, and is named.
  const agents = daemonSets.filter(({ metadata, status }) => AGENTS.test(metadata?.name ?? '') && (status?.desiredNumberScheduled ?? 0) > 0);
  const running = deployments.filter(({ spec }) => (spec?.replicas ?? 1) > 0);
  const images = running.flatMap(({ spec }) => (spec?.template.spec?.containers ?? []).map(({ image }) => (image ?? '').split('@')[0]?.split(':')[0] ?? ''));
  return {
    otherNetworkAgents: agents.map(({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`).sort(),
    clusterAutoscaler: images.some((image) => image.endsWith('cluster-autoscaler')),
    karpenter: images.some((image) => /karpenter(\/controller)?$/.test(image)),
  };
}

/** Whoever holds the cluster, seen from `holder` (`<Temporal cluster id>/<namespace>/<workflow id>`). */
export async function observeLease(kube: KubeClients, holder: string | undefined): Promise<ObservedLease | null> {
  const lease = await readable(kube.coordination.readNamespacedLease({ namespace: KUBE_SYSTEM, name: LEASE_NAME }), null);
  const held = lease?.spec?.holderIdentity ?? '';
  if (held === '') return null;
  const renewed = lease?.spec?.renewTime;
  return { holder: held, ...(renewed === undefined ? {} : { renewTime: String(renewed) }), whose: whose(held, holder) };
}

function whose(held: string, holder: string | undefined): ObservedLease['whose'] {
  if (holder === undefined) return 'unknown';
  if (held === holder) return 'ours';
  // Temporal cluster id and namespace; a workflow id has slashes of its own.
  const temporal = (text: string): string => text.split('/').slice(0, 2).join('/');
  return temporal(held) === temporal(holder) ? 'same-temporal' : 'other';
}
