import type { V1Node } from '@kubernetes/client-node';
import { ownNetwork } from '../../domain/kubernetes/leftOut.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { ObservedNode } from '../../domain/observation.js';
import type { Clients } from '../clients/index.js';
import type { Place } from './driver.js';
import { DRIVERS } from './index.js';

/** Who replaces a node, or why it is left out; nothing: a group that only AWS knows, or nobody. */
export type Owner = Pick<ObservedNode, 'group' | 'ends' | 'leftOut'>;
type Places = Promise<Map<string, Place>>;

/**
 * What the drivers say of each node, by its name, as far as Auto Scaling need not be asked: whoever reads the groups' sizes knows their
 * members anyway.
 *
 * @param attempt for a caller that goes on without what it may not read; a node is then in no pool
 */
export async function ownersOf(clients: Clients, nodes: readonly V1Node[], attempt = (places: Places): Places => places): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>();
  for (const node of nodes) {
    const leftOut = ownNetwork(node.metadata?.labels ?? {});
    if (leftOut !== undefined) owners.set(nameOf(node), { leftOut });
  }
  for (const driver of DRIVERS.filter(({ sized }) => !sized)) {
    const open = nodes.filter((node) => !owners.has(nameOf(node)));
    const places = await attempt(driver.places(clients, open));
    for (const node of open) {
      const instanceId = instanceIdOf(node) ?? '';
      const place = places.get(instanceId);
      if (place !== undefined) owners.set(nameOf(node), { group: place.group, ends: driver.endText?.({ instanceId, group: place.group }) ?? `instance ${instanceId} terminated in ${driver.title(place.group)}` });
      else if (driver.marks?.(node.metadata?.labels ?? {}) === true) owners.set(nameOf(node), { leftOut: driver.kind });
    }
  }
  return owners;
}

function nameOf({ metadata }: V1Node): string {
  return metadata?.name ?? '';
}
