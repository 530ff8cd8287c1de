import type { Clients } from '../clients/index.js';
import { findEksCluster } from '../observe/eksCluster.js';

const known = new WeakMap<Clients, Promise<string | null>>();

/**
 * Name of the EKS cluster behind these clients, asked once. Null where it is no EKS cluster of this account and region, or
 * where we may not look: then there is no add-on that we could ask for.
 */
export function eksClusterName(clients: Clients): Promise<string | null> {
  let name = known.get(clients);
  if (name === undefined) {
    name = findEksCluster(clients).then((cluster) => cluster?.name ?? null);
    known.set(clients, name);
    // Neither a failure nor "none" is kept: a right may be granted, a cluster may become visible.
    name.then(
      (found) => found ?? known.delete(clients),
      () => known.delete(clients),
    );
  }
  return name;
}
