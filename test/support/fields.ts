import { afterAll, afterEach } from 'vitest';
import type { LabOptions } from '../../lab/index.js';
import { Field } from './field.js';
import { writeResults } from './results.js';
import type { Results } from './results.js';

/** Fields of one test: each is taken down when the test ends, however it ends. */
export function fieldsPerTest(): (options?: LabOptions) => Promise<Field> {
  const fields: Field[] = [];
  afterEach(async () => {
    await Promise.all(fields.splice(0).map((field) => field.down()));
  });
  return async (options) => {
    const field = await Field.up(options);
    fields.push(field);
    return field;
  };
}

/** Rows of a matrix, written to docs/results/NAME when the file's tests are over. */
export function resultRows(name: string, head: Omit<Results, 'rows'>): Record<string, string | number>[] {
  const rows: Record<string, string | number>[] = [];
  afterAll(() => writeResults(name, { ...head, rows }));
  return rows;
}
