import { Command, exits, GROUP } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import type { DemoOptions } from '../demo/demo.js';

export default {
  place: 42,
  build: () =>
    new Command('demo')
      .description('migrate a lab cluster of 6 nodes in 3 zones, with live progress; prints what it proved; leaves nothing running')
      .helpGroup(GROUP.process)
      .option('--keep', 'leave lab, Temporal and worker up, and print the way in')
      .option('--stop', 'stop what demos with --keep left up')
      .option('--chart <CHART>', 'a Cilium 1.20.0 chart to use instead of the public Helm repository')
      .option('--nodes <N>', 'how many nodes', Number, 6)
      .action(
        exits(async (options: DemoOptions & { stop?: boolean }) => {
          if (options.stop) return (await import('../demo/kept.js')).stopKept();
          return (await import('../demo/demo.js')).demo(options);
        }),
      ),
} satisfies CommandFile;
