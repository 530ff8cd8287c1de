import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder of this test file's own, which goes with it. Called outside of tests. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ciliate-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
