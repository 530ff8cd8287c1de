import type { CommandFile } from '../cli/command.js';
import { lookCommand } from '../plan/command.js';

export default {
  place: 3,
  build: () =>
    lookCommand('advise', 'which strategy fits this cluster: replace, chain, clean, what each costs, cannot do, and is blocked by', async (file, format) => {
      const { makeAdvice } = await import('../plan/make.js');
      const { renderAdvice } = await import('../../domain/report/index.js');
      const advice = await makeAdvice(file);
      return { text: renderAdvice(advice, format), blocked: advice.rows.every(({ blocked }) => blocked) };
    }),
} satisfies CommandFile;
