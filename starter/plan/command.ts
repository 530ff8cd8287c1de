import type { Plan } from '../../domain/plan.js';
import { Command, exits, GROUP, outputOption, specOption } from '../cli/command.js';
import { EXIT } from '../exit.js';

export type PlanFormat = 'table' | 'json' | 'markdown';
/** Loaded by the action, so that `--help` is quick. */
export type LoadRenderer = () => Promise<(plan: Plan, format: PlanFormat) => string>;
/** Looks at the cluster of a SPEC and says what to print, and whether nothing can be done with it as it is. */
export type Look = (file: string, format: PlanFormat) => Promise<{ text: string; blocked: boolean }>;

/** `preflight` and `plan` are the same look at the cluster, told in two ways; exit code 1 when there are blockers. */
export function planCommand(name: string, description: string, renderer: LoadRenderer): Command {
  return lookCommand(name, description, async (file, format) => {
    const { makePlan } = await import('./make.js');
    const render = await renderer();
    const plan = await makePlan(file);
    return { text: render(plan, format), blocked: plan.blocked };
  });
}

/** A command that only looks; exit code 1 where it is blocked. */
export function lookCommand(name: string, description: string, look: Look): Command {
  return new Command(name)
    .description(description)
    .helpGroup(GROUP.look)
    .addOption(specOption())
    .addOption(outputOption('table', 'json', 'markdown').default('table'))
    .action(
      exits(async ({ file, output }: { file: string; output: PlanFormat }) => {
        const { text, blocked } = await look(file, output);
        process.stdout.write(text);
        return blocked ? EXIT.failed : EXIT.done;
      }),
    );
}
