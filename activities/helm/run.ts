import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { CiliateError } from '../../domain/failures.js';
import { ATTEMPT_VARIABLE, hostId, processStartTime } from './attempt.js';
import { helmError } from './errors.js';
import { withHelmHome, writeValues } from './home.js';
import { SUPERVISOR } from './supervisor.js';

/** What is known of a helm that is about to start: it waits until {@link HelmOptions.onSpawn} has resolved. */
export interface Spawned {
  id: string;
  hostId: string | null;
  pid: number;
  startTime: string | null;
  /** ISO 8601: the supervisor has killed helm by then. */
  deadline: string;
}

export interface HelmOptions {
  /** Path of a kubeconfig; without it helm is not pointed at any cluster. */
  kubeconfig?: string;
  /** Helm is killed (-9) when it fires. A release that is cut off so is recovered by ensureRelease. */
  signal?: AbortSignal;
  /** Milliseconds until helm is killed; 60 s where absent. */
  timeoutMs?: number;
  /** Values for `--values`: written to a private file, whose path is appended to the arguments. */
  values?: unknown;
  /** Called before helm starts; helm starts only when it has resolved, and not at all when it rejects. */
  onSpawn?: (spawned: Spawned) => Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** How long {@link HelmOptions.onSpawn} may take; part of the deadline that it is told. */
const RECORDING_MS = 15_000;
/** What would point helm elsewhere than it is told to; everything else (proxies, AWS settings of an exec plugin) is left. */
const NOT_INHERITED = /^(HELM_(?!REGISTRY_CONFIG$|REPOSITORY_CONFIG$).*|KUBECONFIG|KUBE_.*)$/;

/** The helm that is run: CILIATE_HELM where set, else `helm` on PATH. Helm 3 and 4 both do. */
export function helmCommand(): string {
  return process.env['CILIATE_HELM'] ?? 'helm';
}

/**
 * Runs helm under its supervisor and returns its standard output.
 *
 * @throws CiliateError mapped from what helm said (errors.ts); Permanent `HelmMissing` where there is no helm.
 */
export async function runHelm(args: string[], options: HelmOptions = {}): Promise<string> {
  return withHelmHome((folder) => run({ args, options, folder }));
}

async function run({ args, options, folder }: { args: string[]; options: HelmOptions; folder: string }): Promise<string> {
  const limit = Math.ceil((options.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000);
  const timeoutMs = limit * 1000;
  const id = randomUUID();
  const values = options.values === undefined ? [] : ['--values', await writeValues(folder, options.values)];
  options.signal?.throwIfAborted();

  const command = [helmCommand(), ...args, ...values];
  const child = execa('/bin/sh', ['-c', SUPERVISOR, 'ciliate-helm', String(limit), ...command], {
    env: environment(folder, { id, kubeconfig: options.kubeconfig }),
    extendEnv: false,
    // Its own process group: a Ctrl-C in the terminal is the worker's to handle.
    detached: true,
    cleanup: false,
    reject: false,
    stdin: 'pipe',
    maxBuffer: 256 * 1024 * 1024,
  });
  // The supervisor may end before it has read everything.
  child.stdin?.on('error', () => undefined);
  const letGo = (): void => void child.stdin?.end();
  options.signal?.addEventListener('abort', letGo, { once: true });
  const began = Date.now();
  try {
    await options.onSpawn?.({ id, deadline: new Date(began + RECORDING_MS + timeoutMs).toISOString(), ...(await identity(child.pid)) });
    const started = Date.now();
    if (started - began > RECORDING_MS) throw tooSlow(args);
    child.stdin?.write('go\n');
    const { exitCode, stdout, stderr } = await child;
    options.signal?.throwIfAborted();
    if (exitCode === 0) return stdout;
    if (exitCode === 127 || exitCode === 126) throw helmMissing();
    throw helmError({ command: `helm ${args[0] ?? ''}`, exitCode, stderr, timedOut: exitCode === 137 && Date.now() - started >= timeoutMs - 50, timeoutMs });
  } finally {
    letGo();
    options.signal?.removeEventListener('abort', letGo);
    await child.catch(() => undefined);
  }
}

async function identity(pid: number | undefined): Promise<Pick<Spawned, 'hostId' | 'pid' | 'startTime'>> {
  if (pid === undefined) throw helmMissing();
  return { hostId: await hostId(), pid, startTime: await processStartTime(pid) };
}

/** The recorded deadline would not hold any more. */
function tooSlow(args: string[]): CiliateError {
  return new CiliateError('Transient', {
    object: `helm ${args[0] ?? ''}`,
    expected: `its attempt to be recorded within ${RECORDING_MS / 1000} s`,
    seen: 'it took longer, so helm was not started',
    todo: 'It is tried again.',
  });
}

function environment(folder: string, given: { id: string; kubeconfig: string | undefined }): Record<string, string> {
  const kept = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !NOT_INHERITED.test(entry[0]));
  return {
    ...Object.fromEntries(kept),
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
    // Without one, client-go would go on to in-cluster configuration or ~/.kube/config.
    KUBECONFIG: given.kubeconfig ?? '/dev/null',
    [ATTEMPT_VARIABLE]: given.id,
  };
}

function helmMissing(): CiliateError {
  return new CiliateError(
    'Permanent',
    {
      object: 'helm',
      expected: 'Helm 3 or 4 on the PATH of the worker',
      seen: `no command ${helmCommand()} that can be run`,
      todo: 'Install Helm (https://helm.sh/docs/intro/install/) or set CILIATE_HELM to its path, then retry.',
    },
    { code: 'HelmMissing' },
  );
}
