import { CancellationScope } from '@temporalio/workflow';
import { restartName } from '../../domain/kubernetes/restartOwner.js';
import type { RestartOwner } from '../../domain/kubernetes/restartOwner.js';
import { acts } from '../activityProxies.js';
import { Interrupted } from '../interruptible.js';
import type { Restarts } from './book.js';
import { RunEnd } from './endings.js';
import type { Migration } from './migration.js';

/** Names in the reason of a partial end. */
const NAMED = 10;

/**
 * Restarts every pod that Cilium does not know, one owner after the other, so that one budget at a time is in use. Which are left is
 * read from the cluster each time: what an earlier run did is not done again. One that takes too long is tried once more at the end.
 */
export async function restartPods(migration: Migration): Promise<string> {
  const { book } = migration;
  const progress: Restarts = (book.restarts ??= { owners: 0, evicted: 0, later: [], left: [] });
  for (;;) {
    await migration.safePoint();
    const owner = await next(migration, progress);
    if (owner === null) break;
    const evicted = await restartOne(migration, owner);
    if (evicted === null) postpone(progress, restartName(owner));
    else {
      progress.owners += 1;
      progress.evicted += evicted;
      progress.later = progress.later.filter((name) => name !== restartName(owner));
    }
  }
  if (progress.left.length > 0) throw new RunEnd('partial', `pods of ${named(progress.left)} still run without Cilium; the same start goes on from here`);
  return `${progress.owners} workloads restarted, ${progress.evicted} pods evicted`;
}

/** The next owner; those that took too long only when no other is left. Null: none is left, but those that were given up. */
async function next(migration: Migration, { later, left }: Restarts): Promise<RestartOwner | null> {
  const { target } = migration;
  const { barePods } = migration.control.settings.drain;
  for (const passed of [[...left, ...later], left]) {
    const seen = await migration.step(() => acts.nextRestart({ target, left: passed, barePods }));
    if (seen.bareCount > 0) migration.note('notes', [`bare pods without Cilium, which nobody makes again, were left alone: ${named(seen.bare, seen.bareCount)}`]);
    if (seen.owner !== null || later.length === 0) return seen.owner;
  }
  return null;
}

/** Pods that were evicted; null where it took longer than a drain may, and is to be passed over. */
async function restartOne(migration: Migration, owner: RestartOwner): Promise<number | null> {
  const { target, ids } = migration;
  let evicted = 0;
  const look = async (known: string) => {
    const seen = await acts.lookRestarted({ target, owner, mark: ids.firstRunId, known });
    evicted += seen.evicted;
    return seen;
  };
  const { timeLimitSeconds, onTimeout } = migration.control.settings.drain;
  const scope = new CancellationScope({ cancellable: true, ...(onTimeout === 'wait' ? {} : { timeout: timeLimitSeconds * 1000 }) });
  try {
    await scope.run(() => migration.look(look));
    return evicted;
  } catch (error) {
    if (!(error instanceof Interrupted) || !scope.consideredCancelled) throw error;
    migration.forgetBlockers();
    return null;
  }
}

function postpone(progress: Restarts, name: string): void {
  if (progress.later.includes(name)) {
    progress.later = progress.later.filter((other) => other !== name);
    progress.left.push(name);
  } else progress.later.push(name);
}

function named(names: readonly string[], count = names.length): string {
  const shown = names.slice(0, NAMED);
  return `${shown.join(', ')}${count > shown.length ? ` and ${count - shown.length} more` : ''}`;
}
