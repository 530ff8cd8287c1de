import type { Phase, RunState } from '../status.js';
import type { SpecPart } from './schema.js';

/** How a cluster's own run stands, as the fleet saw it last. Texts are cut: hundreds of these are carried on. */
export interface ClusterSeen {
  state: RunState;
  phase: Phase;
  nodes: { done: number; total: number };
  /** What a person must see to; null: nothing. It counts as a failure for as long as it stands. */
  blocked: string | null;
  /** What it waits for otherwise: a gate, an operator's resume, a worker. */
  waits: string | null;
  /** ISO 8601: since when no worker answers for it. */
  unanswered?: string;
}

/** A cluster of a fleet: its place, what it is started with, and how it came along. */
export interface Member {
  name: string;
  /** Index of its ring. */
  ring: number;
  /** What its manifest says beyond what all share; dropped once it is done. */
  spec: SpecPart;
  taskQueue?: string;
  /** cilium.clusterId: of its manifest, of the cluster itself, or chosen. */
  clusterId?: number;
  /** `waiting`: not started by this fleet yet. `left`: never will be, for the fleet was aborted. */
  stage: 'waiting' | 'open' | 'ended' | 'left';
  /** It was being migrated already: taken in with the manifest that it was started with. */
  adopted?: true;
  /** `hold` is the last word that the fleet sent to it. */
  held?: true;
  /** `abort` was sent. */
  recalled?: true;
  seen: ClusterSeen | null;
}

/** Open, and nothing moves before a person has seen to it. */
export function isStuck({ stage, seen }: Member): boolean {
  return stage === 'open' && seen !== null && seen.blocked !== null;
}

/** What counts against the failure budget: everything but done, and blocked for as long as it is. */
export function isFailing(member: Member): boolean {
  return isStuck(member) || (member.stage === 'ended' && member.seen?.state !== 'done');
}

/** Those whose runs are looked at: the open ones, and those that failed, for a person may have started one again. */
export function watched(members: readonly Member[]): Member[] {
  return members.filter((member) => member.stage === 'open' || (member.stage === 'ended' && isFailing(member)));
}

/** One word a cluster for lists. */
export function memberState(member: Member): string {
  if (member.stage === 'waiting') return 'waiting';
  if (member.stage === 'left') return 'not started';
  return isStuck(member) ? 'blocked' : (member.seen?.state ?? 'starting');
}
