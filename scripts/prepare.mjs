/** Fetches and builds what tests need beyond node_modules, so that no test is slow for it: Temporal, the lab's tools. Cached. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { dist } from './lib/paths.mjs';

const say = (line) => process.stderr.write(`  ${line}\n`);
const load = (file) => import(pathToFileURL(join(dist, file)).href);

/** @returns where the lab's tools are, helm among them */
export async function prepare() {
  const { findTemporal } = await load('starter/temporal/discover.js');
  const { from } = await findTemporal(say);
  say(`Temporal's dev server: from ${from === 'PATH' ? 'PATH' : `the ${from}`}`);
  const lab = await load('lab/index.js');
  await lab.checkTools();
  const tools = await lab.ensureControlPlane(say);
  await lab.ensurePython(say);
  return { tools };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await prepare();
  } catch (error) {
    const { asDiskFull } = await load('starter/disk.js');
    process.stderr.write(`${(asDiskFull(error) ?? error).message}\n`);
    process.exit(2);
  }
}
