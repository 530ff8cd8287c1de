import type { MigrationReport } from '../domain/status.js';
import { BACK } from './migration/back.js';
import type { Book } from './migration/book.js';
import { runCluster } from './migration/run.js';

/**
 * Moves one cluster from Cilium back to aws-node, from wherever a migration has come (docs/rollback.md). Same workflow id, input, verbs
 * and endings as migrateCluster, so the two are never open at once.
 */
export function rollbackCluster(input: unknown, checkpoint?: Book): Promise<MigrationReport> {
  return runCluster(BACK, input, checkpoint);
}
