import { Command, exits, GROUP, notEmpty, outputOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, usageError } from '../exit.js';
import type { PlanFormat } from '../plan/command.js';

interface Options {
  file?: string;
  plan?: boolean;
  watch?: boolean;
  output: PlanFormat;
}

export default {
  place: 14,
  build: () =>
    new Command('rollback')
      .description('back to aws-node from wherever a migration has come; --plan shows what that would do and writes nothing')
      .helpGroup(GROUP.run)
      .argument('[CLUSTER]', 'metadata.name of the SPEC that it was started with')
      .option('-f, --file <SPEC>', 'instead of CLUSTER: needs nothing of the history, only the ledger in the cluster', notEmpty)
      .option('--plan', 'only show the plan; exit code 1 when there are blockers')
      .option('--watch', 'follow the run until it ends; the exit code says how it ended')
      .addOption(outputOption('table', 'json', 'markdown').default('table'))
      .action(
        exits(async (cluster: string | undefined, { file, plan, watch: follow, output }: Options) => {
          if ((cluster === undefined) === (file === undefined)) throw usageError('rollback: expected either CLUSTER or -f SPEC');
          const { manifestOf } = await import('../rollback/manifest.js');
          const manifest = await manifestOf({ cluster, file });
          const { name } = manifest.metadata;
          if (plan) {
            const { makeRollbackPlan } = await import('../plan/make.js');
            const { renderRollbackPlan } = await import('../../domain/report/index.js');
            const made = await makeRollbackPlan(manifest);
            process.stdout.write(renderRollbackPlan(made, output));
            return made.blocked ? EXIT.failed : EXIT.done;
          }
          const { withClient } = await import('../client.js');
          const { startRollback } = await import('../run/start.js');
          const { followed } = await import('../run/followed.js');
          return withClient(async ({ client }) => {
            const handle = await startRollback(client, manifest);
            console.log(`started the way back of ${name}: workflow ${handle.workflowId}`);
            return followed(client, name, follow);
          });
        }),
      ),
} satisfies CommandFile;
