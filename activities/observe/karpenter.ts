import type { ObservedNodePool } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { listNodePools } from '../kubernetes/karpenter.js';
import { readable } from './lists.js';

/** NodePools of Karpenter's API v1; none where it is not there. */
export async function observeNodePools(kube: KubeClients): Promise<ObservedNodePool[]> {
  return (await readable(listNodePools(kube), [])).map(({ metadata, spec: { template } }) => ({
    name: metadata.name,
    labels: template.metadata?.labels ?? {},
    taints: template.spec.taints ?? [],
    startupTaints: template.spec.startupTaints ?? [],
    expireAfter: template.spec.expireAfter ?? 'Never',
  }));
}
