import type { BlockingPod } from '../../domain/force.js';
import { carriedNow, carry } from '../look.js';
import type { Refused } from './evict.js';

/** What the attempts of one look hand on in their heartbeats, since NotYet swallows their results. */
interface Carried {
  evicted: number;
  /** Epoch milliseconds of each pod's first refusal, by the beginning of its UID. */
  since: Record<string, number>;
  /** Pods that the API server wants to be asked for later: until when (epoch milliseconds), and what it said. By the beginning of the UID. */
  later: Record<string, { until: number; refused: Refused }>;
  notes: string[];
  /** The last Event on the Node: for what, and when. */
  event?: { key: string; at: number };
}

/** What one look of a drain remembers over its attempts. */
export class DrainMemory {
  readonly #carried: Carried;

  /** `told`: what the look before told, for its points in time. */
  constructor(told: readonly BlockingPod[]) {
    const before = (carriedNow() ?? {}) as Partial<Carried>;
    const since = Object.fromEntries(told.map((pod) => [brief(pod.uid), Date.parse(pod.since)]));
    this.#carried = { evicted: before.evicted ?? 0, since: { ...since, ...before.since }, later: before.later ?? {}, notes: before.notes ?? [], event: before.event };
  }

  get evicted(): number {
    return this.#carried.evicted;
  }

  get notes(): string[] {
    return this.#carried.notes;
  }

  get event(): Carried['event'] {
    return this.#carried.event;
  }

  /** Since when this pod is refused: from now on where it was not yet. */
  refusedSince(uid: string): number {
    const since = (this.#carried.since[brief(uid)] ??= Date.now());
    this.#keep();
    return since;
  }

  /** Why this pod is not to be asked for yet: what was said when it was refused last. */
  putOff(uid: string): Refused | undefined {
    const later = this.#carried.later[brief(uid)];
    return later !== undefined && Date.now() < later.until ? later.refused : undefined;
  }

  /** The pod was refused; `retryAfterMs`: it is not to be asked for sooner. */
  refusedFor(uid: string, { retryAfterMs, refused }: { retryAfterMs: number | undefined; refused: Refused }): void {
    const others = Object.entries(this.#carried.later).filter(([pod, { until }]) => pod !== brief(uid) && Date.now() < until);
    this.#carried.later = Object.fromEntries(retryAfterMs === undefined ? others : [...others, [brief(uid), { until: Date.now() + retryAfterMs, refused }]]);
    this.#keep();
  }

  countEvicted(): void {
    this.#carried.evicted++;
    this.#keep();
  }

  note(line: string): void {
    if (this.#carried.notes.includes(line)) return;
    this.#carried.notes.push(line);
    this.#keep();
  }

  toldNode(key: string): void {
    this.#carried.event = { key, at: Date.now() };
    this.#keep();
  }

  #keep(): void {
    carry({ ...this.#carried });
  }
}

/** Enough of a UID to tell pods of one node apart. */
export function brief(uid: string): string {
  return uid.slice(0, 8);
}
