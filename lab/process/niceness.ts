import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lowers the priority of this process and of all that it will start. Linux may share the processors out by session first
 * (sched_autogroup_enabled) and look at `nice` only inside of one: this process leads its own, which is told as well.
 * @param niceness 0 (as others) to 19
 */
export function stepBack(niceness: number): void {
  if (niceness === 0) return;
  setPriority(niceness);
  try {
    writeFileSync('/proc/self/autogroup', String(niceness));
  } catch {
    // A system without such groups: `nice` is all there is.
  }
}
