import type { CommandFile } from '../cli/command.js';
import { planCommand } from '../plan/command.js';

export default {
  place: 2,
  build: () =>
    planCommand('plan', 'what a migration would do: steps, what each writes, order of the nodes, values, estimate, findings', async () => {
      return (await import('../../domain/report/index.js')).renderPlan;
    }),
} satisfies CommandFile;
