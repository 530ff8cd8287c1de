import path from 'node:path';
import { assetsRoot } from './paths.js';

/** The lab's own stand-in for Cilium's chart, for where the real one cannot be had. Say so when you use it. */
export function standInChart(): string {
  return path.join(assetsRoot(), 'chart');
}
