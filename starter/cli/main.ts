import { CommanderError } from 'commander';
import { CiliateError } from '../../domain/failures.js';
import { asDiskFull } from '../disk.js';
import { EXIT, ExitError } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { exitCodeOfKind } from '../failure.js';
import { lastOutcome } from './command.js';
import { buildProgram } from './program.js';

/** Runs one command line; errors go to stderr, each as plain text. Never throws. */
export async function main(args: string[]): Promise<ExitCode> {
  try {
    const program = await buildProgram();
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync(args, { from: 'user' });
    return lastOutcome();
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): ExitCode {
  // Commander has printed its message by itself; --help and --version "fail" with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof ExitError) {
    process.stderr.write(`${error.message}\n`);
    return error.code;
  }
  const full = asDiskFull(error);
  if (full !== undefined) return report(full);
  if (error instanceof CiliateError) {
    process.stderr.write(`${error.message}\n`);
    return exitCodeOfKind(error.kind);
  }
  process.stderr.write(`ciliate: ${error instanceof Error ? (process.env['CILIATE_DEBUG'] ? (error.stack ?? error.message) : error.message) : String(error)}\n`);
  return EXIT.failed;
}
