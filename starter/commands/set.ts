import { Command, exits, GROUP, InvalidArgumentError, notEmpty } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT } from '../exit.js';

export default {
  place: 27,
  build: () =>
    new Command('set')
      .description('change a setting of the run: soakSeconds, drain.emptyDir, drain.barePods, drain.timeLimitSeconds, drain.onTimeout')
      .helpGroup(GROUP.say)
      .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
      .argument('<KEY=VALUE...>', 'settings', assignment, {})
      .option('--reason <TEXT>', 'why: kept in the report')
      .action(
        exits(async (cluster: string, values: Record<string, string>, options: { reason?: string }) => {
          const { withRun } = await import('../run/with-run.js');
          const { say } = await import('../run/say.js');
          const { whoAmI } = await import('../who.js');
          const body = { by: whoAmI(), values, ...(options.reason === undefined ? {} : { reason: options.reason }) };
          console.log(await withRun(cluster, ({ client, run }) => say(client, run, { message: { verb: 'set', body }, fallback: 'none' })));
          return EXIT.done;
        }),
      ),
} satisfies CommandFile;

/** `KEY=VALUE`, added to those before. */
function assignment(value: string, before: Record<string, string>): Record<string, string> {
  const cut = value.indexOf('=');
  if (cut < 1) throw new InvalidArgumentError(`expected KEY=VALUE, saw ${JSON.stringify(value)}`);
  return { ...before, [value.slice(0, cut)]: value.slice(cut + 1) };
}
