import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Entry {
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(fileURLToPath(new URL('../../../package-lock.json', import.meta.url)), 'utf8')) as { packages: Record<string, Entry> };

/**
 * `npm i` on one platform leaves the binaries of the others out of the lock when its registry does not have them, and from then
 * on `npm ci` refuses on every machine.
 */
it('package-lock.json has the optional packages of every platform, or npm ci refuses it', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !/wasm/.test(name) && !resolves(path, name)),
  );
  expect(missing).toEqual([]);
});

function resolves(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === '' || !folder.includes('/node_modules/')) return `node_modules/${name}` in lock.packages;
  }
}
