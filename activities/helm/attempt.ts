import { readFile, readdir, readlink } from 'node:fs/promises';
import { CiliateError } from '../../domain/failures.js';

/**
 * One run of helm that writes, recorded (in the CNI ledger, by the caller) before helm starts and once more when it has ended.
 * With it the next run can tell whether a helm of ours may still be alive somewhere, and whose a pending release is.
 */
export interface HelmAttempt {
  /** Also in the environment of helm and its supervisor, so that a process is known beyond doubt (process ids are reused). */
  id: string;
  /** Boot id and pid namespace; null where they cannot be read (no Linux): then only the deadline counts. */
  hostId: string | null;
  /** Process id of the supervisor, the leader of its own process group, and its start time in clock ticks since boot. */
  pid: number;
  startTime: string | null;
  /** What it does to which revision, with which values (sha256 of their canonical JSON). */
  does: 'install' | 'upgrade' | 'uninstall';
  revision: number;
  valuesSha256: string;
  chartVersion: string;
  /** ISO 8601. No helm of this attempt is alive after the deadline: its supervisor kills it before. */
  startedAt: string;
  deadline: string;
  /** Set when helm was seen to end. */
  endedAt?: string;
}

/** Environment variable that carries {@link HelmAttempt.id}. */
export const ATTEMPT_VARIABLE = 'CILIATE_HELM_ATTEMPT';
/** Clocks of two hosts differ by less than this. */
const CLOCK_SKEW_MS = 10_000;

/** Boot id and pid namespace of this process; null where there is no /proc. */
export async function hostId(): Promise<string | null> {
  try {
    const [boot, namespace] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')]);
    return `${boot.trim()}/${namespace}`;
  } catch {
    return null;
  }
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); null where it is not there. */
export async function processStartTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The command name stands in parentheses and may hold anything, spaces and parentheses too.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/**
 * Makes sure that no helm of an earlier attempt is alive, killing what is left of it on this host.
 *
 * @throws CiliateError NotYet `HelmElsewhere` with `retryAfterMs`, where it ran on another host and its deadline is not over.
 */
export async function ensureDead(attempt: HelmAttempt | null | undefined): Promise<void> {
  if (attempt === null || attempt === undefined) return;
  const here = await hostId();
  if (here !== null && here === attempt.hostId && (await killAttempt(attempt))) return;
  if (attempt.endedAt !== undefined) return;
  const left = Date.parse(attempt.deadline) + CLOCK_SKEW_MS - Date.now();
  if (Number.isNaN(left) || left <= 0) return;
  throw new CiliateError(
    'NotYet',
    {
      object: `helm ${attempt.does} of release cilium, revision ${attempt.revision}`,
      expected: 'the earlier run of helm to be known dead',
      seen: `it was started by process ${attempt.pid} on another host (${attempt.hostId ?? 'unknown'}) at ${attempt.startedAt}`,
      todo: `Nothing: it is dead at ${attempt.deadline} at the latest, and helm is run again then.`,
    },
    { code: 'HelmElsewhere', retryAfterMs: left },
  );
}

/** Kills every process of the attempt. False where that cannot be proven (a process of another user may be one). */
async function killAttempt(attempt: HelmAttempt): Promise<boolean> {
  for (let round = 0; round < 50; round++) {
    const { alive, certain } = await processesOf(attempt);
    if (alive.length === 0) return certain;
    for (const pid of alive) signalKill(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

function signalKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already, which is what was wanted.
  }
}

async function processesOf(attempt: HelmAttempt): Promise<{ alive: number[]; certain: boolean }> {
  const alive: number[] = [];
  let certain = true;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
    if (environment === 'EACCES' || environment === 'EPERM') certain &&= !(await isLeader(attempt, pid));
    else if (environment.split('\0').includes(`${ATTEMPT_VARIABLE}=${attempt.id}`) && (await isRunning(pid))) alive.push(pid);
  }
  return { alive, certain };
}

async function isLeader(attempt: HelmAttempt, pid: number): Promise<boolean> {
  return pid === attempt.pid && (await processStartTime(pid)) === attempt.startTime;
}

/** A zombie has ended: it writes nothing any more. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
}

