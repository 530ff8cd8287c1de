import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import { initialControl } from '../../domain/control.js';
import type { MigrationReport } from '../../domain/status.js';
import { acts } from '../activityProxies.js';
import { now } from '../clock.js';
import { stepFailure } from '../failure.js';
import type { Book } from './book.js';
import { reportOf } from './book.js';
import { RunEnd } from './endings.js';
import { listen } from './listen.js';
import { isContinueAsNew, Migration } from './migration.js';
import type { Route } from './route.js';
import { takeBack } from './takeBack.js';

/**
 * One run of a cluster along a route: the body of its workflow. Completes with the report when done, partial or aborted; fails (type
 * `MigrationFailed`, the report in its details) when something is wrong that a person must mend; ends cancelled when it was cancelled.
 */
export async function runCluster(route: Route, input: unknown, checkpoint?: Book): Promise<MigrationReport> {
  const migration = new Migration(route, input, checkpoint);
  listen(migration);
  const root = CancellationScope.current();
  void root.cancelRequested.catch(() => migration.cancelled());
  // Cancellation is an operator's abort, and what an abort does must itself not be cancelled.
  const report = await CancellationScope.nonCancellable(() => run(migration));
  if (report.state === 'failed') throw ApplicationFailure.create({ message: report.problem ?? 'failed', type: 'MigrationFailed', nonRetryable: true, details: [report] });
  if (root.consideredCancelled && report.state === 'aborted') throw new CancelledFailure('cancelled; the report query tells what was done', [report]);
  return report;
}

async function run(migration: Migration): Promise<MigrationReport> {
  const { book } = migration;
  let end: RunEnd;
  try {
    await begin(migration);
    for (const [phase, work] of phasesFrom(migration)) {
      migration.enter(phase);
      // Nothing waits for a person while new nodes may have no CNI; nodes in flight are taken up first.
      if (!migration.followsUnattended(phase) && book.flights.length === 0) await migration.safePoint();
      migration.leave(await work(migration));
    }
    end = new RunEnd('done', null);
  } catch (error) {
    if (isContinueAsNew(error)) throw error;
    end = error instanceof RunEnd ? error : new RunEnd('failed', stepFailure(error).message);
  }
  await finish(migration, end);
  return reportOf(book, migration.ids);
}

/** Who we are, and what we were asked for; once, whatever continues as new. */
async function begin(migration: Migration): Promise<void> {
  const { book } = migration;
  book.facts ??= await migration.step(() => acts.temporalFacts());
  if (!book.manifest) {
    book.manifest = await migration.step(() => acts.readManifest(migration.input));
    const { soakSeconds, drain, refresh } = book.manifest.spec;
    const { maxSurge, maxUnavailable, failuresInARow, shouldDecrementDesiredCapacity } = refresh;
    const canarySoakSeconds = refresh.canarySoakSeconds ?? Math.min(soakSeconds, 600);
    // What operators said before the manifest was read (a pause by signal) is kept.
    book.control = { ...initialControl({ soakSeconds, canarySoakSeconds, drain, maxSurge, maxUnavailable, failuresInARow, shouldDecrementDesiredCapacity }), ...heard(book) };
  }
}

function heard({ control: { paused, held, abort, audit, version } }: Book): Partial<Book['control']> {
  return { paused, held, abort, audit, version };
}

/** Whatever the end, the cluster gets back what was only borrowed. Runs to its end: an abort cannot abort it. */
async function finish(migration: Migration, end: RunEnd): Promise<void> {
  const { book } = migration;
  book.problem = end.outcome === 'done' ? null : end.why;
  if (book.taken) {
    const { target } = migration;
    await attempt(migration, async () => {
      const said = await migration.route.takeBack(migration, end);
      if (said !== undefined) migration.note('notes', [said]);
    });
    if (end.outcome !== 'done') await attempt(migration, () => takeBack(migration));
    await attempt(migration, () => migration.giveBack('whole'));
    await attempt(migration, () => acts.releaseLease({ target }));
  }
  book.endedAt = now();
  book.outcome = end.outcome;
  book.control = { ...book.control, gate: null, takingBack: null };
  migration.leave(end.why ?? undefined);
}

/**
 * One part of the clean-up, the only work beside giving back that is not a step: no abort ends it. When it cannot be done for good,
 * the report says so and the other parts are still done.
 */
async function attempt(migration: Migration, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    migration.note('notes', [`clean-up: ${stepFailure(error).message}`]);
  }
}

function phasesFrom({ book, route: { phases } }: Migration): Route['phases'] {
  return phases.slice(phases.findIndex(([phase]) => phase === book.phase));
}
