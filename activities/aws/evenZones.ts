import { directionOf } from '../../domain/directions/index.js';
import { entryKey } from '../../domain/ledger.js';
import { AZ_REBALANCE } from '../../domain/names.js';
import { isOursToEven, surplusOf, unevenness } from '../../domain/pool/shrink.js';
import type { EvenRequest } from '../api.js';
import type { Clients } from '../clients/index.js';
import { readPool } from '../kubernetes/readPool.js';
import { instancesByZone } from './groups.js';
import { raisedNow } from './guards/sizes.js';
import { raiseCapacity } from './raiseCapacity.js';

/** See activities/api.ts. To be called when no node is in flight and none is left to start. */
export async function evenZones(clients: Clients, { target, tried }: EvenRequest): Promise<{ raised: Record<string, number>; notes: string[] }> {
  const { groups, ledger } = await readPool(clients, directionOf(target), []);
  const result: { raised: Record<string, number>; notes: string[] } = { raised: {}, notes: [] };
  for (const group of groups) {
    const name = group.AutoScalingGroupName ?? '';
    const ours = raisedNow(ledger, group);
    // A group that still has one to lose from the last round gets no other.
    const surplus = ours === undefined ? 0 : surplusOf({ desired: group.DesiredCapacity ?? 0, wantedAtEnd: ours.prior, added: ours.added });
    const suspension = ledger[entryKey({ kind: 'asg-process', id: `${name}/${AZ_REBALANCE}` })];
    const zones = instancesByZone(group);
    const uneven = isOursToEven(zones, suspension?.zones);
    if (!uneven && surplus === 0) continue;
    if (tried !== null && unevenness(zones) < (tried[name] ?? Infinity)) result.raised[name] = unevenness(zones);
    else if (uneven) result.notes.push(`ASG ${name}: its zones are left uneven (${shown(zones)}); once ${AZ_REBALANCE} is resumed it evens them out by terminations that drain nothing`);
  }
  const wanted = Object.keys(result.raised).map((name) => ({ name, oldNodes: 1 }));
  result.notes.push(...(await raiseCapacity(clients, { extra: wanted.length, groups: wanted }, { groups, ledger })));
  return result;
}

function shown(zones: Record<string, number>): string {
  return Object.entries(zones).sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, count]) => `${zone}: ${count}`).join(', ');
}
