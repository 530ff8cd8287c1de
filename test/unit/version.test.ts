import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CILIATE_VERSION } from '../../domain/version.js';

it('package.json and domain/version.ts agree', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(CILIATE_VERSION).toBe(version);
});
