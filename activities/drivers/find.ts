import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Clients } from '../clients/index.js';
import type { Place, ReplacementDriver } from './driver.js';
import { DRIVERS } from './index.js';

/** The driver of each pool (NodeRef.group); one that is of no kind is not in the map. */
export async function driversOf(clients: Clients, groups: readonly string[]): Promise<Map<string, ReplacementDriver>> {
  const drivers = new Map<string, ReplacementDriver>();
  for (const driver of DRIVERS) {
    const open = groups.filter((group) => group !== '' && !drivers.has(group));
    if (open.length === 0) break;
    for (const group of await driver.owns(clients, open)) drivers.set(group, driver);
  }
  return drivers;
}

/** The driver of this very node: one cluster may have nodes of several kinds. */
export async function driverOf(clients: Clients, { group, instanceId, name }: NodeRef): Promise<ReplacementDriver> {
  const driver = (await driversOf(clients, [group])).get(group);
  if (driver !== undefined) return driver;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `Instance ${instanceId} (Node ${name})`,
      expected: `a pool that replaces it (${DRIVERS.map(({ kind }) => kind).join(', ')})`,
      seen: group === '' ? 'none' : `"${group}", which is of none of these kinds`,
      todo: `Skip it and replace it by hand: ciliate skip CLUSTER ${name} --reason TEXT`,
    },
    { code: 'NoDriver' },
  );
}

/** Pool and zone of each node, by instance id; a node that nothing would replace is not in the map. */
export async function placesOf(clients: Clients, nodes: readonly V1Node[]): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for (const driver of DRIVERS) {
    const open = nodes.filter((node) => !places.has(instanceIdOf(node) ?? ''));
    if (open.length === 0) break;
    for (const [id, place] of await driver.places(clients, open)) places.set(id, place);
  }
  return places;
}
