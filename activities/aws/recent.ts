import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Instance } from '@aws-sdk/client-ec2';
import type { Clients } from '../clients/index.js';
import { restMs } from '../rest.js';
import { describeGroups } from './groups.js';
import { readInstances } from './instances.js';

/** How old an answer may be for each that waits for one: a lone node sees no delay, many share; from here on as restMs says. */
const AGE_EACH_MS = 100;
const AGE_MOST_MS = 1_000;
/** Who has not asked for so long waits no more. */
const FORGET_MS = 30_000;

/**
 * Answers that many waits share. AWS throttles by account and region, so what nodes in flight poll for is asked for all of them
 * at once, and at most once a second. For waits only: what is acted on is read for itself.
 */
export class Recent<T> {
  readonly #wanted = new Map<string, number>();
  #last: { at: number; ids: ReadonlySet<string>; found: ReadonlyMap<string, T>; took: number } = { at: -Infinity, ids: new Set(), found: new Map(), took: 0 };
  #asking: { ids: ReadonlySet<string>; answer: Promise<ReadonlyMap<string, T>> } | undefined;

  /** @param ask answers for these; what is not there is not in the answer */
  constructor(
    private readonly ask: (ids: string[]) => Promise<ReadonlyMap<string, T>>,
    private readonly now: () => number = Date.now,
  ) {}

  /** What was found of these, in their order. */
  async read(ids: readonly string[]): Promise<T[]> {
    for (const id of ids) this.#wanted.set(id, this.now());
    const found = await this.#answer(ids);
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  #answer(ids: readonly string[]): ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>> {
    const all = (known: ReadonlySet<string>): boolean => ids.every((id) => known.has(id));
    if (this.now() - this.#last.at < this.#mayBeOld && all(this.#last.ids)) return this.#last.found;
    if (this.#asking !== undefined && all(this.#asking.ids)) return this.#asking.answer;
    return this.#askNow();
  }

  /** Where many share it AWS rests in between, or those who act stand in line behind those who wait. */
  get #mayBeOld(): number {
    const shared = AGE_EACH_MS * this.#wanted.size;
    return shared < AGE_MOST_MS ? shared : restMs(this.#last.took);
  }

  #askNow(): Promise<ReadonlyMap<string, T>> {
    const at = this.now();
    for (const [id, asked] of this.#wanted) if (at - asked > FORGET_MS) this.#wanted.delete(id);
    const ids = new Set(this.#wanted.keys());
    const answer = this.ask([...ids]).then((found) => {
      // As old as its question.
      if (at >= this.#last.at) this.#last = { at, ids, found, took: this.now() - at };
      return found;
    });
    const asking = { ids, answer };
    this.#asking = asking;
    const over = (): void => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    answer.then(over, over);
    return answer;
  }
}

interface Polls {
  instances: Recent<Instance>;
  groups: Recent<AutoScalingGroup>;
}
const polls = new WeakMap<Clients, Polls>();

function pollsOf(clients: Clients): Polls {
  const known = polls.get(clients);
  if (known !== undefined) return known;
  const made: Polls = {
    instances: new Recent(async (ids) => new Map((await readInstances(clients, ids)).map((instance) => [instance.InstanceId ?? '', instance]))),
    groups: new Recent(async (names) => new Map((await describeGroups(clients, names)).map((group) => [group.AutoScalingGroupName ?? '', group]))),
  };
  polls.set(clients, made);
  return made;
}

/** As readInstances, a moment old. */
export function recentInstances(clients: Clients, ids: readonly string[]): Promise<Instance[]> {
  return ids.length === 0 ? Promise.resolve([]) : pollsOf(clients).instances.read(ids);
}

/** As describeGroup, a moment old; undefined where there is none of that name. */
export async function recentGroup(clients: Clients, name: string): Promise<AutoScalingGroup | undefined> {
  return (await pollsOf(clients).groups.read([name]))[0];
}
