import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LabUnreachableError, LabUsageError, codeOf } from './errors.js';
import { LabFaults } from './faults/client.js';
import { resolveOptions } from './options.js';
import type { LabOptions } from './options.js';
import { labDir, labsRoot } from './paths.js';
import { isAlive, runningProcesses } from './process/identity.js';
import { fetchStatus } from './status.js';
import type { LabStatus } from './status.js';
import type { LabState } from './state.js';
import { readState } from './state.js';
import { ensureControlPlane } from './toolchain/controlplane.js';
import type { OnProgress } from './toolchain/controlplane.js';
import { ensurePython } from './toolchain/python.js';
import { checkTools } from './toolchain/tools.js';

/** A lab that runs. */
export interface Lab {
  name: string;
  dir: string;
  /** Straight to kube-apiserver, as cluster-admin by certificate. */
  kubeconfig: string;
  /** Through the fault front, as cluster-admin by token. */
  frontKubeconfig: string;
  /** What AWS_ENDPOINT_URL must be. */
  awsEndpoint: string;
  region: string;
  clusterName: string;
  /** Holds helm (and the control plane's programs). */
  toolsDir: string;
  controlUrl: string;
  /** URL of kube-apiserver, and of the fault front before it (which is what eks:DescribeCluster answers). */
  apiServer: string;
  frontServer: string;
  /** What `lab up` exports. */
  env: Record<string, string>;
  readyAfterMs: number;
  faults: LabFaults;
  status: () => Promise<LabStatus>;
  stop: () => Promise<void>;
}

/** Credentials that every lab accepts: cluster-admin by EKS token as well. */
const credentials = { AWS_ACCESS_KEY_ID: 'LABACCESSKEY', AWS_SECRET_ACCESS_KEY: 'labsecretkey' };

/**
 * Starts a lab and returns when its cluster is ready: all nodes Ready, all pods Running. Builds what is missing first.
 * @throws LabUsageError when the options or the machine do not fit, or a lab of that name runs already.
 */
export async function startLab(options: LabOptions = {}, onProgress: OnProgress = () => undefined): Promise<Lab> {
  const resolved = resolveOptions(options);
  const dir = labDir(resolved.name);
  await checkTools();
  const running = readState(dir);
  if (running !== undefined && isAlive(running.supervisor)) throw new LabUsageError(`lab "${resolved.name}" runs already: stop it with \`lab down --name ${resolved.name}\` or take another --name`);
  const [bin, python] = [await ensureControlPlane(onProgress), await ensurePython(onProgress)];
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(path.join(dir, 'logs'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, 'options.json'), JSON.stringify(resolved, undefined, 2));

  const log = openSync(path.join(dir, 'logs', 'supervisor.log'), 'a');
  const [command, ...args] = supervisorCommand();
  const child = spawn(command, [...args, dir, bin, python], { detached: true, stdio: ['ignore', log, log], cwd: dir });
  closeSync(log);
  let exited: string | undefined;
  child.once('error', (error) => (exited = error.message));
  child.once('exit', (code, signal) => (exited = `supervisor ended with ${String(code ?? signal)}`));
  child.unref();
  await follow(dir, onProgress, () => exited);
  return openLab(resolved.name);
}

/**
 * The lab of that name, if it runs and is ready.
 * @throws LabUnreachableError otherwise.
 */
export function openLab(name: string): Lab {
  const dir = labDir(name);
  const state = readState(dir);
  if (state === undefined || !isAlive(state.supervisor)) throw new LabUnreachableError(`lab "${name}" does not run: start it with \`lab up --name ${name}\``);
  const { controlUrl, awsEndpoint, apiServer, frontServer } = state;
  if (state.phase !== 'ready' || controlUrl === undefined || awsEndpoint === undefined || apiServer === undefined || frontServer === undefined) {
    throw new LabUnreachableError(`lab "${name}" is ${state.phase}`);
  }
  const kubeconfig = path.join(dir, 'kubeconfig');
  const frontKubeconfig = path.join(dir, 'front.kubeconfig');
  const env = {
    KUBECONFIG: kubeconfig,
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_REGION: state.region,
    AWS_DEFAULT_REGION: state.region,
    ...credentials,
    LAB_NAME: name,
    LAB_CLUSTER_NAME: state.clusterName,
    LAB_FRONT_KUBECONFIG: frontKubeconfig,
    LAB_CONTROL_URL: controlUrl,
    LAB_DIR: dir,
    PATH: `${state.toolsDir}${path.delimiter}${process.env['PATH'] ?? ''}`,
  };
  return {
    name,
    dir,
    kubeconfig,
    frontKubeconfig,
    awsEndpoint,
    region: state.region,
    clusterName: state.clusterName,
    toolsDir: state.toolsDir,
    controlUrl,
    apiServer,
    frontServer,
    env,
    readyAfterMs: state.readyAfterMs ?? 0,
    faults: new LabFaults(controlUrl),
    status: () => fetchStatus(controlUrl),
    stop: () => stopLab(name),
  };
}

/** Stops a lab and removes its folder; nothing is left. A lab that does not run is fine. */
export async function stopLab(name: string): Promise<void> {
  const dir = labDir(name);
  const state = readState(dir);
  if (state !== undefined && isAlive(state.supervisor)) {
    process.kill(state.supervisor.pid, 'SIGTERM');
    if (!(await gone(state, 8000))) {
      // Its group holds everything it started, and dies with it.
      signalGroup(state.supervisor.pid);
      await gone(state, 3000);
    }
  }
  if (state !== undefined) killStragglers(dir, state.supervisor.pid);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** The names of the labs that have a folder, and whether they run. */
export function listLabs(): { name: string; running: boolean }[] {
  if (!existsSync(labsRoot())) return [];
  return readdirSync(labsRoot()).map((name) => {
    const state = readState(path.join(labsRoot(), name));
    return { name, running: state !== undefined && isAlive(state.supervisor) };
  });
}

/** What a lab says about itself, violations included. */
export async function labStatus(name: string): Promise<LabStatus> {
  return openLab(name).status();
}

async function gone(state: LabState, timeout: number): Promise<boolean> {
  const end = Date.now() + timeout;
  while (isAlive(state.supervisor)) {
    if (Date.now() > end) return false;
    await sleep(30);
  }
  return true;
}

/**
 * What survived its supervisor and its reaper: members of the supervisor's process group that were started with a path in
 * this lab's folder. Both, because a group's number may come again, and other people's tools name the kubeconfig too.
 */
function killStragglers(dir: string, group: number): void {
  for (const member of runningProcesses()) {
    if (member.group !== group || !member.command.includes(`${dir}${path.sep}`)) continue;
    try {
      process.kill(member.pid, 'SIGKILL');
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Passes the supervisor's progress on until the lab is ready or has failed. */
async function follow(dir: string, onProgress: OnProgress, exited: () => string | undefined): Promise<void> {
  const file = path.join(dir, 'progress.log');
  let shown = 0;
  for (;;) {
    const ended = exited();
    const state = readState(dir);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    for (; shown < lines.length; shown += 1) onProgress(lines[shown] ?? '');
    if (state?.phase === 'ready') return;
    if (state?.phase === 'failed') throw new Error(`lab: ${state.error ?? 'failed'} (logs: ${path.join(dir, 'logs')})`);
    if (ended !== undefined) throw new Error(`lab: ${ended} (logs: ${path.join(dir, 'logs')})`);
    await sleep(50);
  }
}

/** How to run the supervisor: compiled beside a bundle, or through tsx from the sources. */
function supervisorCommand(): [string, ...string[]] {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const file of [path.join(here, 'supervisor.js'), path.join(here, 'lab', 'supervisor.js'), path.join(here, '..', 'lab', 'supervisor.js')]) {
    if (existsSync(file)) return [process.execPath, file];
  }
  return [process.execPath, '--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, path.join(here, 'supervisor.ts')];
}
