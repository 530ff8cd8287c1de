import { Command, exits, GROUP, notEmpty, outputOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, unreachableError } from '../exit.js';

export default {
  place: 12,
  build: () =>
    new Command('report')
      .description('what happened to each node, when, how long each step took, who approved what; no worker is needed once the run has ended')
      .helpGroup(GROUP.run)
      .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
      .addOption(outputOption('json', 'markdown').default('markdown'))
      .action(
        exits(async (cluster: string, options: { output: 'json' | 'markdown' }) => {
          const { withRun } = await import('../run/with-run.js');
          const { readReport } = await import('../run/status.js');
          const { withFiled } = await import('../run/pages.js');
          const { renderReport } = await import('../../domain/report/index.js');
          const report = await withRun(cluster, async ({ client, run }) => withFiled(client, run, await readReport(client, run)));
          if (report === undefined) throw unreachableError(`no worker answers, and the run of ${cluster} has left no report: start a worker with \`ciliate worker\`, or see \`ciliate status ${cluster}\``);
          process.stdout.write(renderReport(report, options.output));
          return EXIT.done;
        }),
      ),
} satisfies CommandFile;
