import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { z } from 'zod';

/** A process that cannot be mistaken for a later one that got the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the kernel's own units: only ever compared for equality. */
  started: string;
}

const identitySchema = z.object({ pid: z.number().int().positive(), started: z.string() });

/** When `pid` started, or undefined when there is no such (living) process. */
export function startOf(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      const fields = fieldsOf(pid);
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The identity of a living process. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) ?? 'gone' };
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.started;
}

/** Reads what `JSON.stringify(identityOf(…))` wrote; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    return identitySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Every process with its group and command line, where /proc tells; nothing elsewhere. */
export function runningProcesses(): { pid: number; group: number; command: string }[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      try {
        return { pid: Number(entry), group: Number(fieldsOf(Number(entry))[2]), command: readFileSync(`/proc/${entry}/cmdline`, 'utf8') };
      } catch {
        return { pid: Number(entry), group: 0, command: '' };
      }
    });
}

/** The fields of /proc/PID/stat from the state on. */
function fieldsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  // The command name may hold blanks and brackets; everything after its last bracket is plain fields.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
