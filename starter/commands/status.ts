import { Command, exits, GROUP, notEmpty, outputOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, usageError } from '../exit.js';

interface Options {
  output?: 'json';
  watch?: boolean;
  page?: number;
}

function pageNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw usageError(`--page: expected a number from 1 on, saw "${value}"`);
  return Number(value);
}

export default {
  place: 11,
  build: () =>
    new Command('status')
      .description('how a migration stands: step, nodes, what blocks, which gate waits')
      .helpGroup(GROUP.run)
      .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
      .addOption(outputOption('table', 'json'))
      .option('--page <N>', 'nodes that are done, a hundred a page, the oldest first', pageNumber)
      .option('--watch', 'follow the run until it ends; the exit code says how it ended')
      .action(
        exits(async (cluster: string, options: Options) => {
          const { withClient } = await import('../client.js');
          const format = options.output ?? 'table';
          return withClient(async ({ client }) => {
            if (options.watch) {
              const { exitCodeOf, watch } = await import('../run/watch.js');
              const { screenFor } = await import('../view/screen.js');
              return exitCodeOf((await watch(client, cluster, screenFor(process.stdout, format))).state);
            }
            const { findRun } = await import('../run/handle.js');
            const { readStatus } = await import('../run/status.js');
            const { renderStatus } = await import('../../domain/report/index.js');
            const run = await findRun(client, cluster);
            if (options.page !== undefined) {
              const { showPage } = await import('../run/pages.js');
              process.stdout.write(await showPage(client, run, { page: options.page, format }));
              return EXIT.done;
            }
            const { status, instead } = await readStatus(client, run);
            if (instead !== null) console.error(instead);
            process.stdout.write(renderStatus(status, new Date().toISOString(), format));
            return EXIT.done;
          });
        }),
      ),
} satisfies CommandFile;
