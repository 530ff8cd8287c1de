import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { HAZARDS as FORWARD } from '../../../domain/hazards/index.js';
import { ROLLBACK_HAZARDS } from '../../../domain/rollback/hazards.js';

const HAZARDS = [...FORWARD, ...ROLLBACK_HAZARDS];

const headings = readFileSync(new URL('../../../docs/hazards.md', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => /^### (\S+)$/.exec(line)?.[1] ?? []);

it('docs/hazards.md has a section for each hazard and none for anything else', () => {
  expect([...headings].sort()).toEqual(HAZARDS.map(({ id }) => id).sort());
});

it('ids are unique and in kebab case', () => {
  const ids = HAZARDS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
});
