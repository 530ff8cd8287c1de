import type { MigrationReport } from '../domain/status.js';
import type { Book } from './migration/book.js';
import { FORWARD } from './migration/forward.js';
import { runCluster } from './migration/run.js';

/**
 * Moves one cluster from aws-node to Cilium. `input` is the manifest as JSON (the same object as SPEC, with absolute paths);
 * `checkpoint` is only ever given by the workflow itself, when it continues as new. How it ends: migration/run.ts; the `report` query
 * answers in each case.
 */
export function migrateCluster(input: unknown, checkpoint?: Book): Promise<MigrationReport> {
  return runCluster(FORWARD, input, checkpoint);
}
