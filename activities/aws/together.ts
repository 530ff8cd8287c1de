import DataLoader from 'dataloader';
import type { Clients } from '../clients/index.js';

/**
 * Reads of which, with the same clients, one at a time is under way; what is asked for meanwhile goes together in the next. No answer is
 * older than its question, so it may be acted on (unlike one of recent.ts), and fifty nodes that end at once cost AWS a call or two.
 *
 * @param ask reads these; what is not there is not in the answer
 * @param most how many one call may name
 */
export function together<T>(ask: (clients: Clients, ids: string[]) => Promise<T[]>, idOf: (found: T) => string | undefined, most: number): (clients: Clients, id: string) => Promise<T | undefined> {
  const batches = new WeakMap<Clients, DataLoader<string, T | undefined>>();
  return (clients, id) => {
    const batch = batches.get(clients) ?? oneAtATime((ids) => ask(clients, ids), idOf, most);
    batches.set(clients, batch);
    return batch.load(id);
  };
}

function oneAtATime<T>(ask: (ids: string[]) => Promise<T[]>, idOf: (found: T) => string | undefined, most: number): DataLoader<string, T | undefined> {
  let underWay: Promise<unknown> = Promise.resolve();
  const read = async (ids: readonly string[]): Promise<(T | undefined)[]> => {
    const answer = ask([...new Set(ids)]);
    underWay = answer.catch(() => undefined);
    const found = new Map((await answer).map((each) => [idOf(each), each]));
    return ids.map((id) => found.get(id));
  };
  // Nothing is kept: each question is asked.
  return new DataLoader(read, { cache: false, maxBatchSize: most, batchScheduleFn: (send) => void underWay.then(() => setImmediate(send)) });
}
