import { Command, exits, GROUP, outputOption, specOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT } from '../exit.js';

interface Options {
  file: string;
  output: 'table' | 'json' | 'markdown';
}

export default {
  place: 2,
  build: () =>
    new Command('plan')
      .description('what a migration would do: steps, what each writes, order of the nodes, values, estimate, findings')
      .helpGroup(GROUP.look)
      .addOption(specOption())
      .addOption(outputOption('table', 'json', 'markdown').default('table'))
      .action(
        exits(async ({ file, output }: Options) => {
          const { makePlan } = await import('../plan/make.js');
          const { renderPlan } = await import('../../domain/report/index.js');
          const plan = await makePlan(file);
          process.stdout.write(renderPlan(plan, output));
          return plan.blocked ? EXIT.failed : EXIT.done;
        }),
      ),
} satisfies CommandFile;
