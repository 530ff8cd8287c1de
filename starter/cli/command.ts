import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';

/**
 * One file of starter/commands/: adding a command is adding such a file. Whatever is heavy (Temporal, AWS, the lab) is
 * imported by its action, not by the file, so that `ciliate --help` is quick.
 */
export interface CommandFile {
  /** Position in `--help`. */
  place: number;
  build(): Command;
}

export type CommandAction<A extends unknown[]> = (...args: A) => Promise<ExitCode>;

/** Commander takes no return value from an action: the exit code goes through process.exitCode's owner, main(). */
const outcome: { code: ExitCode } = { code: EXIT.done };

/** The exit code of the last action. */
export const lastOutcome = (): ExitCode => outcome.code;

/** Wraps an action that returns an exit code. */
export function exits<A extends unknown[]>(action: CommandAction<A>): (...args: A) => Promise<void> {
  return async (...args) => {
    outcome.code = EXIT.done;
    outcome.code = await action(...args);
  };
}

/** Headings of `--help`. */
export const GROUP = {
  look: 'Look, without writing anything:',
  run: 'A migration:',
  say: 'Say something to a migration that runs:',
  several: 'Several clusters:',
  process: 'Processes:',
} as const;

export const specOption = (): Option => new Option('-f, --file <SPEC>', 'ClusterMigration (YAML); - reads stdin').makeOptionMandatory();
export const reasonOption = (): Option => new Option('--reason <TEXT>', 'why: kept in the report').makeOptionMandatory().argParser(notEmpty);
export const outputOption = (...formats: string[]): Option => new Option('-o, --output <FORMAT>', 'output format').choices(formats);

/** For arguments and options that must say something. */
export function notEmpty(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('expected a text that is not empty');
  return value;
}

/** A TCP port; 0 asks for any free one. */
export function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535');
  return number;
}

export { Command, CommanderError, Option, InvalidArgumentError };
