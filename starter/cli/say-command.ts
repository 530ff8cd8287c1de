import { Command, exits, GROUP, notEmpty, reasonOption } from './command.js';
import type { CommandFile } from './command.js';
import { EXIT } from '../exit.js';
import type { Fallback } from '../run/say.js';

interface Verb {
  verb: string;
  place: number;
  description: string;
  fallback: Fallback;
}

/** A command that says one thing with a reason to a run: pause, resume, abort. */
export function sayCommand({ verb, place, description, fallback }: Verb): CommandFile {
  return {
    place,
    build: () =>
      new Command(verb)
        .description(description)
        .helpGroup(GROUP.say)
        .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
        .addOption(reasonOption())
        .action(
          exits(async (cluster: string, options: { reason: string }) => {
            const { withRun } = await import('../run/with-run.js');
            const { said, say } = await import('../run/say.js');
            console.log(await withRun(cluster, ({ client, run }) => say(client, run, { message: { verb, body: said(options.reason) }, fallback })));
            return EXIT.done;
          }),
        ),
  };
}

/** The same for one node: skip, retry. */
export function sayNodeCommand({ verb, place, description, fallback }: Verb): CommandFile {
  return {
    place,
    build: () =>
      new Command(verb)
        .description(description)
        .helpGroup(GROUP.say)
        .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
        .argument('<NODE>', 'Node name or instance id', notEmpty)
        .addOption(reasonOption())
        .action(
          exits(async (cluster: string, node: string, options: { reason: string }) => {
            const { withRun } = await import('../run/with-run.js');
            const { said, say } = await import('../run/say.js');
            const body = { ...said(options.reason), node };
            console.log(await withRun(cluster, ({ client, run }) => say(client, run, { message: { verb, body }, fallback })));
            return EXIT.done;
          }),
        ),
  };
}
