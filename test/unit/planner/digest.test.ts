import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha256Hex } from '../../../domain/digest.js';

const reference = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

it('equals node:crypto at every length around the block boundaries', () => {
  for (let length = 0; length < 200; length++) expect(sha256Hex('a'.repeat(length))).toBe(reference('a'.repeat(length)));
});

it('equals node:crypto for any text, lone surrogates and all', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => sha256Hex(text) === reference(text)), { numRuns: 2000 });
  expect(sha256Hex('\ud800x')).toBe(reference('\ud800x'));
});
