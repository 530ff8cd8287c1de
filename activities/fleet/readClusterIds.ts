import pLimit from 'p-limit';
import { CILIUM_CONFIG, KUBE_SYSTEM } from '../../domain/names.js';
import type { ClusterRef } from '../../domain/spec/schema.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';

interface IdRequest {
  name: string;
  cluster: ClusterRef;
}

const AT_ONCE = 5;

/** cilium.clusterId that each cluster has for good. One that cannot be read says why: nobody knows then which id it has. */
export async function readClusterIds(clusters: readonly IdRequest[], clientsFor: (ref: ClusterRef) => Promise<Clients>): Promise<{ name: string; id: number | null; problem?: string }[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(
    clusters.map(({ name, cluster }) =>
      limit(async () => {
        try {
          return { name, id: await clusterIdOf(await clientsFor(cluster)) };
        } catch (error) {
          return { name, id: null, problem: (error instanceof Error ? error.message : String(error)).slice(0, 300) };
        }
      }),
    ),
  );
}

/** What its Cilium runs with, or what a migration has written down before it installs. 0 is Cilium's word for none. */
async function clusterIdOf(clients: Clients): Promise<number | null> {
  const config = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: CILIUM_CONFIG }));
  const running = Number(config?.data?.['cluster-id'] ?? 0);
  if (running > 0) return running;
  return (await readCniLedger(clients)).clusterId ?? null;
}
