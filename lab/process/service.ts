import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that has to run as long as the lab does. */
export interface ServiceSpec {
  name: string;
  command: string;
  args: string[];
  logFile: string;
  env?: Record<string, string>;
}

/** Runs one program, starts it again when it ends, and knows how to replace it on purpose. */
export class Service {
  private child: ChildProcess | undefined;
  private stopped = false;
  /** How often it ended on its own. */
  crashes = 0;

  constructor(
    private readonly spec: ServiceSpec,
    /** Called each time the program has come back after it ended by itself. */
    private readonly onRestart: () => void = () => undefined,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Forgets earlier crashes: somebody has started over on purpose. */
  forgive(): void {
    this.crashes = 0;
  }

  start(): void {
    const log = openSync(this.spec.logFile, 'a');
    const child = spawn(this.spec.command, this.spec.args, {
      // Same process group as the supervisor: the reaper ends it with us.
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.spec.env },
    });
    closeSync(log);
    this.child = child;
    child.once('error', () => undefined);
    child.once('exit', () => {
      if (this.child !== child || this.stopped) return;
      this.crashes += 1;
      setTimeout(() => {
        if (this.stopped || this.child !== child) return;
        this.start();
        this.onRestart();
      }, Math.min(200 * this.crashes, 2000));
    });
  }

  /** Kills it and waits until it is gone; it stays down until `start`. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  async restart(): Promise<void> {
    await this.kill();
    this.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.kill();
  }

  /** The end of its log, for messages about why it does not come up. */
  lastWords(lines = 4): string {
    try {
      return readFileSync(this.spec.logFile, 'utf8').trim().split('\n').slice(-lines).join(' | ').slice(-800);
    } catch {
      return '(no log)';
    }
  }
}

/**
 * Polls until `probe` says yes.
 * @param hint what the error says when the time is over.
 */
export async function until(probe: () => Promise<boolean>, timeout: number, hint: () => string): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (Date.now() > end) throw new Error(hint());
    await sleep(50);
  }
}
