import { Command, exits, GROUP, port } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import type { DevOptions } from '../dev/dev.js';

export default {
  place: 41,
  build: () =>
    new Command('dev')
      .description("Temporal's dev server (its runs survive restarts) and a worker, in one foreground process; Ctrl-C stops both")
      .helpGroup(GROUP.process)
      .option('--port <PORT>', 'of Temporal; 0: any free one', port, 7233)
      .option('--ui-port <PORT>', "of Temporal's UI; 0: any free one", port, 8233)
      .option('--db <FILE>', 'SQLite file (default: in the state folder of the user)')
      .option('--metrics <[HOST:]PORT>', 'Prometheus metrics of the worker')
      .action(
        exits(async (options: DevOptions) => {
          const { dev } = await import('../dev/dev.js');
          return dev(options);
        }),
      ),
} satisfies CommandFile;
