import { isStuck, memberState } from './members.js';
import type { Member } from './members.js';
import type { Ring } from './schedule.js';
import type { ClusterLine, RingCounts } from './status.js';

/** Counts of each ring. */
export function ringCounts(rings: readonly Ring[], members: readonly Member[]): RingCounts[] {
  return rings.map(({ name, maxInFlight }, index) => {
    const own = members.filter(({ ring }) => ring === index);
    const count = (is: (member: Member) => boolean): number => own.filter(is).length;
    const ended = (member: Member): boolean => member.stage === 'ended';
    return {
      name,
      total: own.length,
      waiting: count(({ stage }) => stage === 'waiting' || stage === 'left'),
      inFlight: count(({ stage }) => stage === 'open'),
      blocked: count(isStuck),
      done: count((member) => ended(member) && member.seen?.state === 'done'),
      failed: count((member) => ended(member) && member.seen?.state !== 'done'),
      maxInFlight,
    };
  });
}

/** One line a cluster, those first that a person should look at; at most `most`. */
export function clusterLines(rings: readonly Ring[], members: readonly Member[], most: number): ClusterLine[] {
  return [...members]
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, most)
    .map((member) => ({
      name: member.name,
      ring: rings[member.ring]?.name ?? '',
      state: memberState(member),
      phase: member.seen?.phase ?? null,
      nodes: member.seen?.nodes ?? { done: 0, total: 0 },
      blocked: member.seen?.blocked ?? null,
      waits: member.seen?.waits ?? null,
      clusterId: member.clusterId ?? null,
      taskQueue: member.taskQueue ?? null,
      adopted: member.adopted ?? false,
    }));
}

function rank(member: Member): number {
  if (isStuck(member)) return 0;
  switch (member.stage) {
    case 'open':
      return 1;
    case 'ended':
      return member.seen?.state === 'done' ? 4 : 2;
    case 'waiting':
    case 'left':
      return 3;
    default:
      return member.stage satisfies never;
  }
}

/** How each cluster of a ring came out: what the gate after it decides on. */
export function ringOutcome(members: readonly Member[], ring: number): string[] {
  return members
    .filter((member) => member.ring === ring)
    .map((member) => ({ name: member.name, state: memberState(member), why: member.seen?.blocked }))
    .map(({ name, state, why }) => `${name}: ${state}${why ? ` (${why})` : ''}`);
}
