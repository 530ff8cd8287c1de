import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const dist = join(root, 'dist');
/** Below node_modules, so that `make clean`, git and npm pack leave it alone and imports resolve from it. */
export const cache = join(root, 'node_modules', '.cache', 'ciliate');
export const SOURCE_FOLDERS = ['domain', 'workflows', 'activities', 'worker', 'starter', 'lab'];
