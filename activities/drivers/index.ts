import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Clients } from '../clients/index.js';
import { autoScalingGroup } from './autoScalingGroup.js';
import type { Place, ReplacementDriver } from './driver.js';
import { karpenter } from './karpenter.js';
import { managedNodeGroup } from './managedNodeGroup.js';

export type { Candidates, Place, ReplacementDriver } from './driver.js';

/** The first that owns a pool drives it. */
const DRIVERS: readonly ReplacementDriver[] = [karpenter, managedNodeGroup, autoScalingGroup];

/** The driver of this very node: one cluster may have nodes of several kinds. */
export async function driverOf(clients: Clients, { group, instanceId, name }: NodeRef): Promise<ReplacementDriver> {
  for (const driver of DRIVERS) if (await driver.owns(clients, group)) return driver;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `Instance ${instanceId} (Node ${name})`,
      expected: 'an Auto Scaling group or a NodeClaim of Karpenter that owns it',
      seen: group === '' ? 'neither' : `"${group}", which is neither`,
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
