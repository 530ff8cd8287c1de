import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessIdentity } from './process/identity.js';

/** What a lab's supervisor tells about itself in `state.json`. */
export interface LabState {
  phase: 'starting' | 'ready' | 'failed';
  error?: string;
  supervisor: ProcessIdentity;
  startedAt: string;
  readyAfterMs?: number;
  controlUrl?: string;
  awsEndpoint?: string;
  apiServer?: string;
  frontServer?: string;
  clusterName: string;
  region: string;
  toolsDir: string;
  pids?: Record<string, number | undefined>;
}

export function writeState(dir: string, state: LabState): void {
  const file = path.join(dir, 'state.json');
  writeFileSync(`${file}.tmp`, JSON.stringify(state, undefined, 2));
  renameSync(`${file}.tmp`, file);
}

export function readState(dir: string): LabState | undefined {
  const file = path.join(dir, 'state.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}
