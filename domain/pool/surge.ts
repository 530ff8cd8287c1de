/** Sizes of an Auto Scaling group or a managed node group. */
export interface GroupSize {
  desired: number;
  max: number;
}

/**
 * How the cluster's extra nodes are shared over its groups: in proportion to their old nodes, by the largest remainder, never
 * more than a group's old nodes (the last ones go with decrement, so each extra node needs one).
 */
export function surgeShares(groups: readonly { name: string; oldNodes: number }[], total: number): Record<string, number> {
  const all = groups.reduce((sum, { oldNodes }) => sum + oldNodes, 0);
  const extra = Math.min(total, all);
  // In whole numbers: share = extra * oldNodes / all.
  const shares = groups.map(({ name, oldNodes }) => ({
    name,
    whole: all === 0 ? 0 : Math.floor((extra * oldNodes) / all),
    remainder: all === 0 ? 0 : (extra * oldNodes) % all,
  }));
  const rest = extra - shares.reduce((sum, { whole }) => sum + whole, 0);
  const rounded = [...shares].sort((a, b) => b.remainder - a.remainder || (a.name < b.name ? -1 : 1)).slice(0, rest);
  return Object.fromEntries(shares.map((share) => [share.name, share.whole + (rounded.includes(share) ? 1 : 0)]));
}

/**
 * What is to be added to DesiredCapacity and MaxSize, so that the group has `extra` nodes of ours; MaxSize only where it is in
 * the way. Never negative: a group shrinks by terminating chosen nodes with decrement, not by a lower number.
 */
export function sizePlan(group: GroupSize, extra: number, ours: { added: number }): GroupSize {
  const desired = Math.max(0, extra - ours.added);
  return { desired, max: Math.max(0, group.desired + desired - group.max) };
}

/** A group that we raised: DesiredCapacity of before, and how many of the nodes that we added are still to go. */
export interface Surge {
  prior: number;
  added: number;
}

/**
 * What of a surge holds for a group as it is now. We never lower one below its size of before: where it is, somebody else wants
 * fewer nodes, and none of ours is left.
 */
export function rebased(surge: Surge, desired: number): Surge {
  return desired < surge.prior ? { prior: desired, added: 0 } : surge;
}

/**
 * By how much DesiredCapacity may be lowered with no instance to go for it: launches of ours that have not come about. Never
 * below the instances that there are, or Auto Scaling terminates some of its own choice.
 *
 * @param instances those of the group that are not terminating
 */
export function unlaunched({ desired, instances, ours }: { desired: number; instances: number; ours: Surge }): number {
  return Math.max(0, Math.min(desired - Math.max(ours.prior, instances), ours.added));
}

/** What the ledger says of a size that we changed. */
export interface SizeEntry {
  kind: 'desired' | 'max';
  prior: number;
  ours: number;
}

export type Restoring = { set: number } | { set: null; why: string };

/**
 * What a size is to be set to so that our own change is undone, where the value is still ours. Nothing is set that would make
 * Auto Scaling terminate nodes of its own choice, undrained: a lower DesiredCapacity does, and so does a MaxSize below it.
 * https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
 *
 * @param now `instances`: those of the group that are not terminating
 */
export function restore({ kind, prior, ours }: SizeEntry, now: GroupSize & { instances: number }): Restoring {
  const name = kind === 'desired' ? 'DesiredCapacity' : 'MaxSize';
  const value = now[kind];
  if (value === prior) return { set: null, why: `${name} is ${prior} again` };
  if (kind === 'max') {
    if (value !== ours) return { set: null, why: `MaxSize was set to ${ours}, is ${value} now; somebody else changed it` };
    if (now.desired > prior) return { set: null, why: `MaxSize ${prior} would lower DesiredCapacity from ${now.desired} and terminate nodes undrained` };
    return { set: prior };
  }
  // Terminations with decrement lower it step by step: all between the two is ours.
  if (value < prior || value > ours) return { set: null, why: `DesiredCapacity was set to ${ours}, is ${value} now; somebody else changed it` };
  if (now.instances > prior) {
    return {
      set: null,
      why:
        `it has ${now.instances} instances, ${prior} before: DesiredCapacity ${prior} would terminate ${now.instances - prior} of them undrained. By hand, one after the other, new ` +
        'ones first: kubectl drain NODE --ignore-daemonsets --delete-emptydir-data, then aws autoscaling terminate-instance-in-auto-scaling-group ' +
        '--should-decrement-desired-capacity --instance-id ID',
    };
  }
  return { set: prior };
}
