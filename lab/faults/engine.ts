import { randomUUID } from 'node:crypto';
import type { FaultActions, FaultEvent, FaultRule, Target } from './types.js';

/** What a front knows about a request. */
export interface Request {
  target: Target;
  method: string;
  path: string;
  action: string;
  service: string;
  client: string;
  body: () => string;
}

interface Armed {
  rule: FaultRule & { id: string };
  matches: number;
  test: (request: Request) => boolean;
  parked: Set<() => void>;
  released: boolean;
}

/** What is left to the front once latency and holds are over. */
export type Verdict = Pick<FaultActions, 'drop' | 'status' | 'retryAfter' | 'code' | 'message' | 'throttle'> | undefined;

/** The rules of both fronts, their matches as one stream of events, and the counters. */
export class FaultEngine {
  private readonly armed = new Map<string, Armed>();
  private readonly events: FaultEvent[] = [];
  private readonly waiters = new Set<() => void>();
  private readonly counters = new Map<string, number>();
  private readonly awayUntil: Record<Target, number> = { kubernetes: 0, aws: 0 };
  private seq = 0;

  add(rule: FaultRule): string {
    const id = rule.id ?? randomUUID().slice(0, 8);
    this.remove(id);
    this.armed.set(id, { rule: { ...rule, id }, matches: 0, test: compile(rule), parked: new Set(), released: false });
    return id;
  }

  list(): (FaultRule & { id: string; matches: number; parked: number })[] {
    return [...this.armed.values()].map((item) => ({ ...item.rule, matches: item.matches, parked: item.parked.size }));
  }

  /** Lets parked requests go; `keep` leaves the rule armed for the next ones. */
  release(id: string, keep: boolean): number {
    const item = this.armed.get(id);
    if (item === undefined) return 0;
    const count = item.parked.size;
    for (const go of item.parked) go();
    item.parked.clear();
    if (!keep) item.released = true;
    return count;
  }

  remove(id: string): void {
    this.release(id, false);
    this.armed.delete(id);
  }

  clear(): void {
    for (const id of [...this.armed.keys()]) this.remove(id);
    this.awayUntil.aws = 0;
    this.awayUntil.kubernetes = 0;
  }

  away(target: Target, milliseconds: number): void {
    this.awayUntil[target] = Date.now() + milliseconds;
  }

  isAway(target: Target): boolean {
    return Date.now() < this.awayUntil[target];
  }

  count(key: string): void {
    this.counters.set(key, (this.counters.get(key) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.counters].sort(([a], [b]) => a.localeCompare(b)));
  }

  resetCounts(): void {
    this.counters.clear();
  }

  /** Events after `seq`; waits up to `timeout` ms for the first one. */
  async since(seq: number, timeout: number): Promise<FaultEvent[]> {
    const found = (): FaultEvent[] => this.events.filter((event) => event.seq > seq);
    if (found().length > 0 || timeout <= 0) return found();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeout);
      this.waiters.add(done);
    });
    return found();
  }

  get lastSeq(): number {
    return this.seq;
  }

  /**
   * Runs a request past the rules of one phase.
   * @param gone settles when the client has hung up, which frees a parked request.
   */
  async meet(request: Request, phase: 'before' | 'after', context: { status?: number; gone: Promise<void> }): Promise<Verdict> {
    let verdict: Verdict;
    for (const item of [...this.armed.values()]) {
      const { rule } = item;
      if (rule.target !== request.target || (rule.phase ?? 'before') !== phase || !item.test(request)) continue;
      item.matches += 1;
      const first = rule.nth ?? 1;
      const inRange = item.matches >= first && (rule.count === undefined || item.matches < first + rule.count);
      const acts = inRange && !item.released && (rule.until === undefined || Date.now() < rule.until);
      // A hold is only told once it holds: a test that reacts to the event must find the request parked.
      const parked = acts && rule.hold === true ? this.park(item, context.gone) : undefined;
      this.tell(item, request, { phase, acted: acts, status: context.status });
      if (!acts) continue;
      if (rule.latency !== undefined) await Promise.race([new Promise((resolve) => setTimeout(resolve, rule.latency)), context.gone]);
      await parked;
      if (rule.drop === true || rule.throttle === true || rule.status !== undefined) {
        verdict = { drop: rule.drop, status: rule.status, retryAfter: rule.retryAfter, code: rule.code, message: rule.message, throttle: rule.throttle };
      }
    }
    return verdict;
  }

  private park(item: Armed, gone: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        item.parked.delete(go);
        resolve();
      };
      item.parked.add(go);
      void gone.then(go);
    });
  }

  private tell(item: Armed, request: Request, how: { phase: 'before' | 'after'; acted: boolean; status: number | undefined }): void {
    this.seq += 1;
    this.events.push({
      seq: this.seq,
      rule: item.rule.id,
      target: request.target,
      phase: how.phase,
      match: item.matches,
      acted: how.acted,
      method: request.method,
      path: request.path,
      action: request.action,
      ...(how.status === undefined ? {} : { status: how.status }),
      at: new Date().toISOString(),
    });
    if (this.events.length > 20_000) this.events.splice(0, 10_000);
    for (const wake of [...this.waiters]) wake();
  }
}

function compile(rule: FaultRule): (request: Request) => boolean {
  const whole = (text: string | undefined): RegExp | undefined => (text === undefined ? undefined : new RegExp(`^(?:${text})$`, 'i'));
  const part = (text: string | undefined): RegExp | undefined => (text === undefined ? undefined : new RegExp(text));
  const method = whole(rule.method);
  const action = whole(rule.action);
  const service = whole(rule.service);
  const path = part(rule.path);
  const client = part(rule.client);
  const body = part(rule.body);
  return (request) =>
    (method?.test(request.method) ?? true) &&
    (action?.test(request.action) ?? true) &&
    (service?.test(request.service) ?? true) &&
    (path?.test(request.path) ?? true) &&
    (client?.test(request.client) ?? true) &&
    (body?.test(request.body()) ?? true);
}
