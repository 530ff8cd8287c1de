import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { filesBelow } from './tree.mjs';

/**
 * Clients with hundreds of files and calls that nobody here makes: loading them whole takes a second of processor and 50 MiB of every
 * process. What is used of them goes into a few files (docs/adr/0016).
 */
const VENDORED = /^(@aws-sdk\/[^/]+|@kubernetes\/client-node)$/;
const NAMED = /\bimport\s*\{([^}]*)\}\s*from\s*"([^"]+)"/g;
const SPECIFIER = /\b(?:from|import)\s*\(?\s*"([^"]+)"/g;

const fileOf = (name) => `${name.replace(/^@/, '').replaceAll('/', '-')}.js`;

/**
 * Bundles what the transpiled files below `stage` import of those packages into `stage`/vendor, and points their imports there.
 * @param {{ stage: string, cache: string, root: string }} folders kept in `cache` under what went in
 */
export async function vendor({ stage, cache, root }) {
  const files = filesBelow(stage).filter((file) => file.endsWith('.js')).map((file) => join(stage, file));
  const used = new Map();
  for (const file of files) collect(file, used);
  const entries = [...used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, names]) => [name, [...names].sort()]);
  const key = createHash('sha256').update(JSON.stringify(entries)).update(readFileSync(join(root, 'package-lock.json'))).update(readFileSync(new URL(import.meta.url))).digest('hex').slice(0, 24);
  const kept = join(cache, `vendor-${key}`);
  if (!existsSync(kept)) await bundle(entries, { kept, cache, root });
  cpSync(kept, join(stage, 'vendor'), { recursive: true });
  for (const file of files) point(file, join(stage, 'vendor'));
}

/** Names that a file imports of vendored packages. By name only: of `* as` nothing could be left out, and there would be two of each class. */
function collect(file, used) {
  const text = readFileSync(file, 'utf8');
  const named = new Set();
  for (const [, names, from] of text.matchAll(NAMED)) {
    if (!VENDORED.test(from)) continue;
    named.add(from);
    const all = used.get(from) ?? new Set();
    for (const name of names.split(',').map((each) => each.trim().split(/\s+as\s+/)[0]).filter((each) => each !== '')) all.add(name);
    used.set(from, all);
  }
  for (const [, from] of text.matchAll(SPECIFIER)) {
    if (VENDORED.test(from) && !named.has(from)) throw new Error(`${file}: expected named imports of ${from} only (scripts/lib/vendor.mjs)`);
  }
}

async function bundle(entries, { kept, cache, root }) {
  const work = join(cache, 'vendor-work');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'in'), { recursive: true });
  const entryPoints = entries.map(([name, names]) => {
    const file = join(work, 'in', fileOf(name));
    writeFileSync(file, `export { ${names.join(', ')} } from '${name}';\n`);
    return file;
  });
  await build({
    absWorkingDir: root, entryPoints, outdir: join(work, 'out'), bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20',
    // ES modules first: only of those can be left out what is not used.
    mainFields: ['module', 'main'],
    minifySyntax: true, minifyWhitespace: true, legalComments: 'eof', logLevel: 'error', chunkNames: 'chunks/[name]-[hash]',
    banner: { js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);" },
  });
  for (const old of filesBelow(cache).map((file) => file.split('/')[0]).filter((name) => /^vendor-[0-9a-f]+$/.test(name))) rmSync(join(cache, old), { recursive: true, force: true });
  renameSync(join(work, 'out'), kept);
  rmSync(work, { recursive: true, force: true });
}

function point(file, folder) {
  const before = readFileSync(file, 'utf8');
  const to = (name) => `./${relative(dirname(file), join(folder, fileOf(name)))}`.replace('./../', '../');
  const after = before.replace(NAMED, (whole, names, from) => (VENDORED.test(from) ? `import {${names}} from "${to(from)}"` : whole));
  if (after !== before) writeFileSync(file, after);
}
