import { Command, exits, GROUP, specOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';

export default {
  place: 10,
  build: () =>
    new Command('start')
      .description('start a migration, or go on with one that ended early: it picks up from the cluster\'s own state')
      .helpGroup(GROUP.run)
      .addOption(specOption())
      .option('--watch', 'follow the run until it ends; the exit code says how it ended')
      .action(
        exits(async (options: { file: string; watch?: boolean }) => {
          const { readSpec } = await import('../spec/read.js');
          const { withClient } = await import('../client.js');
          const { startMigration } = await import('../run/start.js');
          const { followed } = await import('../run/followed.js');
          const manifest = readSpec(options.file);
          const { name } = manifest.metadata;
          return withClient(async ({ client }) => {
            const handle = await startMigration(client, manifest);
            console.log(`started ${name}: workflow ${handle.workflowId}`);
            return followed(client, name, options.watch);
          });
        }),
      ),
} satisfies CommandFile;
