import type { Plan } from '../../domain/plan.js';
import { Command, exits, GROUP, outputOption, specOption } from '../cli/command.js';
import { EXIT } from '../exit.js';

export type PlanFormat = 'table' | 'json' | 'markdown';
/** Loaded by the action, so that `--help` is quick. */
export type LoadRenderer = () => Promise<(plan: Plan, format: PlanFormat) => string>;

/** `preflight` and `plan` are the same look at the cluster, told in two ways; exit code 1 when there are blockers. */
export function planCommand(name: string, description: string, renderer: LoadRenderer): Command {
  return new Command(name)
    .description(description)
    .helpGroup(GROUP.look)
    .addOption(specOption())
    .addOption(outputOption('table', 'json', 'markdown').default('table'))
    .action(
      exits(async ({ file, output }: { file: string; output: PlanFormat }) => {
        const { makePlan } = await import('./make.js');
        const render = await renderer();
        const plan = await makePlan(file);
        process.stdout.write(render(plan, output));
        return plan.blocked ? EXIT.failed : EXIT.done;
      }),
    );
}
