import { FIELD_MANAGER } from '../../domain/names.js';

interface ManagedEntry {
  manager?: string;
  fieldsV1?: object;
}

/** Whether we were the one who gave a field its present value, as the API server remembers it. */
export function setBy(managedFields: ManagedEntry[] | undefined, path: string[]): 'us' | 'others' | 'unknown' {
  const owners = (managedFields ?? []).filter((entry) => owns(entry.fieldsV1, path)).map((entry) => entry.manager);
  if (owners.length === 0) return 'unknown';
  return owners.includes(FIELD_MANAGER) ? 'us' : 'others';
}

/** Managers of a field, e.g. `eks`, `kubectl-patch`. */
export function managersOf(managedFields: ManagedEntry[] | undefined, path: string[]): string[] {
  return (managedFields ?? []).filter((entry) => owns(entry.fieldsV1, path)).map((entry) => entry.manager ?? '?');
}

function owns(fields: object | undefined, path: string[]): boolean {
  let at: unknown = fields;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !(`f:${segment}` in at)) return false;
    at = (at as Record<string, unknown>)[`f:${segment}`];
  }
  return at !== undefined;
}
