import { Command, exits, GROUP, notEmpty } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT } from '../exit.js';

interface Options {
  metrics?: string;
  taskQueue?: string;
}

export default {
  place: 40,
  build: () =>
    new Command('worker')
      .description('run a worker against Temporal until it is stopped; outside the clusters that it migrates')
      .helpGroup(GROUP.process)
      .option('--metrics <[HOST:]PORT>', 'Prometheus metrics, on loopback unless a host is named')
      .option('--task-queue <NAME>', 'serve the clusters of a fleet that name this task queue (docs/fleet.md); `ciliate` where absent', notEmpty)
      .addHelpText('after', '\nSettings: TEMPORAL_* as for Temporal\'s CLI, CILIATE_LOG (level), CILIATE_CODEC_KEYS (id:base64 of 32 bytes, encrypts payloads).')
      .action(
        exits(async (options: Options) => {
          const { runWorkerProcess } = await import('../../worker/main.js');
          await runWorkerProcess(options);
          return EXIT.done;
        }),
      ),
} satisfies CommandFile;
