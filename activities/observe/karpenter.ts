import type { ObservedNodePool } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { instanceOf, listNodeClaims, listNodePools } from '../kubernetes/karpenter.js';
import { readable } from './lists.js';

export interface KarpenterSeen {
  nodePools: ObservedNodePool[];
  /** Instances that a NodeClaim owns. */
  claimed: Set<string>;
}

/** What Karpenter's API v1 says; nothing where it is not there. */
export async function observeKarpenter(kube: KubeClients): Promise<KarpenterSeen> {
  const [pools, claims] = await Promise.all([readable(listNodePools(kube), []), readable(listNodeClaims(kube), [])]);
  return {
    nodePools: pools.map(({ metadata, spec: { template } }) => ({
      name: metadata.name,
      labels: template.metadata?.labels ?? {},
      taints: template.spec.taints ?? [],
      startupTaints: template.spec.startupTaints ?? [],
      expireAfter: template.spec.expireAfter ?? 'Never',
    })),
    claimed: new Set(claims.flatMap((claim) => instanceOf(claim) ?? [])),
  };
}
