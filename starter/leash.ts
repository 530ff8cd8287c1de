import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Kills a process of ours when this one dies without a word, as by kill -9: a shell reads from a pipe that only our death closes.
 * What is killed so is made to be: Temporal's dev server on its file, and a worker.
 *
 * @returns call it to let the process outlive this one; one that ends is let go by itself
 */
export function leash(child: ChildProcess): () => void {
  if (child.pid === undefined) return () => undefined;
  // A process group of its own: Ctrl-C is for us, who end the child in order.
  const shell = spawn('sh', ['-c', 'read -r _; kill -9 "$0" 2>/dev/null', String(child.pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without a shell there is no leash, and all else is as it was.
  shell.on('error', () => undefined);
  shell.unref();
  (shell.stdin as Socket).unref();
  const letGo = (): void => void shell.kill('SIGKILL');
  child.once('exit', letGo);
  return letGo;
}
