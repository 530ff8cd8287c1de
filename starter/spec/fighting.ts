import type { Manifest } from '../../domain/spec/schema.js';
import type { Complaint } from './explain.js';

/** Keys of `values` that fight the migration, each at its own line. */
export function fightingValues(_manifest: Manifest): Complaint[] {
  return [];
}
