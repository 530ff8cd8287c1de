import type { Member } from './members.js';
import { isFailing, isStuck } from './members.js';

export interface Ring {
  name: string;
  maxInFlight: number;
  gate: boolean;
}

export interface Course {
  rings: readonly Ring[];
  members: readonly Member[];
  /** Rings whose gate was approved. */
  approved: readonly string[];
}

/** What the fleet would do next, were it free to: start clusters, ask at a gate, wait, or end. */
export interface NextMove {
  /** Index of the ring that it is at. */
  ring: number;
  start: string[];
  /** Name of the ring after which an approval is awaited. */
  gate: string | null;
  /** Every cluster has ended. */
  finished: boolean;
}

/**
 * Rings in order, at most `maxInFlight` clusters at a time. A cluster that is stuck takes no place and holds up no ring: the
 * failure budget bounds how many of those there may be, and when a person has freed it, it goes on beside the others.
 */
export function nextMove({ rings, members, approved }: Course): NextMove {
  for (const [index, ring] of rings.entries()) {
    const own = members.filter((member) => member.ring === index);
    if (!own.every(isSettled)) return { ring: index, start: admitted(own, ring), gate: null, finished: false };
    if (ring.gate && !approved.includes(ring.name)) return { ring: index, start: [], gate: ring.name, finished: false };
  }
  return { ring: rings.length - 1, start: [], gate: null, finished: members.every(hasEnded) };
}

function admitted(members: readonly Member[], { maxInFlight }: Ring): string[] {
  const busy = members.filter((member) => member.stage === 'open' && !isStuck(member)).length;
  const waiting = members.filter(({ stage }) => stage === 'waiting').map(({ name }) => name);
  return waiting.slice(0, Math.max(0, maxInFlight - busy));
}

function isSettled(member: Member): boolean {
  return hasEnded(member) || isStuck(member);
}

function hasEnded({ stage }: Member): boolean {
  return stage === 'ended' || stage === 'left';
}

/** Names of clusters that count against the budget; those that stood so when a person resumed (`forgiven`) do not any more. */
export function failures(members: readonly Member[], forgiven: readonly string[]): string[] {
  return members.filter((member) => isFailing(member) && !forgiven.includes(member.name)).map(({ name }) => name);
}
