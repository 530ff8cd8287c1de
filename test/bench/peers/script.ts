import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePython } from '../../../lab/index.js';
import { anyChart } from '../../support/field.js';
import type { Field } from '../../support/field.js';
import type { Attempt } from './contender.js';

const here = fileURLToPath(new URL('.', import.meta.url));
export const ARTICLE = join(here, 'article.sh');
export const EKS_ROLLING_UPDATE_PINS = join(here, 'eks-rolling-update.txt');

/** The path of that program, if it is on PATH. */
function onPath(name: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why scripts cannot run on this machine; undefined when they can. */
export function scriptsMissing(): string | undefined {
  const missing = ['bash', 'kubectl'].filter((name) => onPath(name) === undefined);
  return missing.length > 0 ? `no ${missing.join(' and no ')} on PATH` : undefined;
}

/** What an operator's shell has: kubectl and helm on the front, so that calls are counted; `aws`, of which two calls will do. */
async function environment(field: Field): Promise<NodeJS.ProcessEnv> {
  const { lab } = field;
  return {
    ...process.env,
    ...lab.env,
    PATH: [join(here, 'bin'), lab.env['PATH']].join(delimiter),
    KUBECONFIG: lab.frontKubeconfig,
    REAL_KUBECTL: onPath('kubectl'),
    LAB_PYTHON: await ensurePython(() => undefined),
    REGION: lab.region,
    CLUSTER: lab.clusterName,
    CHART: anyChart(),
    CHART_VERSION: '1.20.0',
  };
}

/** Runs commands one after the other in a process group of their own, each only if the one before it ended well. */
export async function runScript(field: Field, commands: string[], more: NodeJS.ProcessEnv = {}): Promise<Attempt> {
  const log = openSync(join(field.folder, 'contender.log'), 'a');
  const env = { ...(await environment(field)), ...more };
  const child = spawn('bash', ['-euc', commands.join('\n')], { env, cwd: field.folder, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? 'success' : signal ? `ended by ${signal}` : `exit ${String(code)}`));
  });
  const kill = async (): Promise<void> => {
    // The group is this child's own: spawned detached, and not yet reaped while `ended` is pending.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  return { ended, kill };
}
