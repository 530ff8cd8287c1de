/** Who answers slowly is asked less: so many times what an answer took is rested before the next question. */
const TIMES = 4;
const LEAST_MS = 1_000;
const MOST_MS = 5_000;

/**
 * How long many that wait rest between their questions, in milliseconds.
 *
 * @param took what the last answer took, in milliseconds
 */
export function restMs(took: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, TIMES * took));
}
