import DataLoader from 'dataloader';

/**
 * Reads of which one at a time is under way; what is asked for meanwhile goes together in the next. No answer is older than its
 * question, so it may be acted on (unlike one of recent.ts), and fifty nodes that end at once cost AWS a call or two.
 *
 * @param ask answers for these; what is not there is not in the answer
 * @param most how many one call may name
 */
export function together<T>(ask: (ids: string[]) => Promise<ReadonlyMap<string, T>>, most: number): DataLoader<string, T | undefined> {
  let underWay: Promise<unknown> = Promise.resolve();
  return new DataLoader(
    async (ids: readonly string[]) => {
      const answer = ask([...new Set(ids)]);
      underWay = answer.catch(() => undefined);
      const found = await answer;
      return ids.map((id) => found.get(id));
    },
    // Nothing is kept: each question is asked.
    { cache: false, maxBatchSize: most, batchScheduleFn: (send) => void underWay.then(() => setImmediate(send)) },
  );
}
