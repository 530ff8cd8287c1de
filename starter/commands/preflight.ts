import type { CommandFile } from '../cli/command.js';
import { planCommand } from '../plan/command.js';

export default {
  place: 1,
  build: () =>
    planCommand('preflight', 'is the cluster fit for a migration? Findings only; exit code 1 when there are blockers', async () => {
      return (await import('../plan/findings.js')).renderFindings;
    }),
} satisfies CommandFile;
