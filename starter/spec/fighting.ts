import { fightingKeys } from '../../domain/cilium/values.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { Complaint } from './explain.js';

/** Keys of `values` that fight the migration, each at its own line. */
export function fightingValues({ spec }: Manifest): Complaint[] {
  return fightingKeys(spec.cilium.values, { version: spec.cilium.version, strategy: spec.strategy }).map(({ path, why }) => ({
    path: ['spec', 'cilium', 'values', ...path.split('.')],
    on: 'key',
    message: `spec.cilium.values.${path} fights the migration: ${why}`,
  }));
}
