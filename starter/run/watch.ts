import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { MigrationStatus, RunState } from '../../domain/status.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { findRun } from './handle.js';
import { readStatus } from './status.js';
import type { SeenStatus } from './status.js';

const POLL_MS = 1_000;

/** Where a watch shows what it sees. */
export interface Screen {
  show(seen: SeenStatus): void;
  /** The last picture stays. */
  end(): void;
}

/** Follows a run until it is closed. @returns the last status */
export async function watch(client: Client, migration: string, screen: Screen): Promise<MigrationStatus> {
  try {
    for (;;) {
      const run = await findRun(client, migration);
      const seen = await readStatus(client, run);
      screen.show(seen);
      if (!run.open) return seen.status;
      await sleep(POLL_MS);
    }
  } finally {
    screen.end();
  }
}

/** Exit code of a verb that follows a run. */
export function exitCodeOf(state: RunState): ExitCode {
  switch (state) {
    case 'done':
    case 'running':
    case 'paused':
    case 'waiting-approval':
    case 'aborting':
      return EXIT.done;
    case 'partial':
    case 'failed':
    case 'aborted':
      return EXIT.failed;
  }
}
