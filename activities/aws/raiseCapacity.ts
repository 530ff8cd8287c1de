import { sizePlan, surgeShares } from '../../domain/pool/surge.js';
import { entryKey } from '../../domain/ledger.js';
import type { Clients } from '../clients/index.js';
import { putGuards, readGuards } from '../kubernetes/guardsLedger.js';
import { setSizes } from './capacity.js';
import { describeGroups } from './groups.js';
import { raised, sizeEntry } from './guards/sizes.js';

/**
 * Extra nodes for a surge: DesiredCapacity of each group up by its share, MaxSize too where it is in the way; ledger first. What
 * a group is above its size of before counts as there already, so running it again adds nothing; nothing is ever lowered:
 * groups shrink by terminations with decrement.
 *
 * @param groups the groups that have nodes to refresh, and how many of them are not in flight
 */
export async function raiseCapacity(clients: Clients, groups: readonly { name: string; oldNodes: number }[], extra: number): Promise<void> {
  const shares = surgeShares(groups, extra);
  const wanted = groups.filter(({ name }) => (shares[name] ?? 0) > 0);
  if (wanted.length === 0) return;
  const ledger = await readGuards(clients);
  for (const group of await describeGroups(clients, wanted.map(({ name }) => name))) {
    const name = group.AutoScalingGroupName ?? '';
    const size = { desired: group.DesiredCapacity ?? 0, max: group.MaxSize ?? 0 };
    const prior = raised(ledger, name)?.prior ?? size.desired;
    const more = sizePlan(size, shares[name] ?? 0, { added: Math.max(0, size.desired - prior) });
    if (more.desired === 0) continue;
    const to = { desired: size.desired + more.desired, max: size.max + more.max };
    const entries = [sizeEntry(group, 'desired', to.desired), ...(more.max > 0 ? [sizeEntry(group, 'max', to.max)] : [])].map(({ entry }) => entry);
    // What stood there before the first time stays what is given back.
    await putGuards(clients, entries.map((entry) => ({ ...entry, prior: ledger[entryKey(entry)]?.prior ?? entry.prior })));
    await setSizes(clients, group, { desired: to.desired, ...(more.max > 0 ? { max: to.max } : {}) });
  }
}
