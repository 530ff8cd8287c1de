import { spawn } from 'node:child_process';

/**
 * Ends everything in this process's group once this process is gone, however it went: a shell in a session of its own
 * reads a pipe that only we hold open; end of file means that we died. (dash's kill wants it spelled
 * just so.)
 */
export function startReaper(): void {
  const group = String(process.pid);
  const child = spawn('sh', ['-c', 'cat >/dev/null; kill -s KILL -- "-$1" 2>/dev/null', 'lab-reaper', group], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
}
