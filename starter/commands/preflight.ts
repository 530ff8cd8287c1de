import { Command, exits, GROUP, outputOption, specOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT } from '../exit.js';

interface Options {
  file: string;
  output: 'table' | 'json' | 'markdown';
}

export default {
  place: 1,
  build: () =>
    new Command('preflight')
      .description('is the cluster fit for a migration? Findings only; exit code 1 when there are blockers')
      .helpGroup(GROUP.look)
      .addOption(specOption())
      .addOption(outputOption('table', 'json', 'markdown').default('table'))
      .action(
        exits(async ({ file, output }: Options) => {
          const { makePlan } = await import('../plan/make.js');
          const { renderFindings } = await import('../plan/findings.js');
          const plan = await makePlan(file);
          process.stdout.write(renderFindings(plan, output));
          return plan.blocked ? EXIT.failed : EXIT.done;
        }),
      ),
} satisfies CommandFile;
