import { Command, exits, GROUP } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';

export default {
  place: 43,
  build: () =>
    new Command('lab')
      .description('an embedded EKS for trying and testing: lab up | down | status | env | list')
      .helpGroup(GROUP.process)
      .argument('[args...]', 'see ciliate lab --help')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(
        exits(async (args: string[]) => {
          // The lab is a program of its own: its options, help and exit codes are its own.
          const { labCommand } = await import('../../lab/index.js');
          const lab = labCommand();
          for (const command of [lab, ...lab.commands]) command.exitOverride();
          if (args.length === 0) {
            lab.outputHelp({ error: true });
            return EXIT.usage;
          }
          process.exitCode = undefined;
          await lab.parseAsync(args, { from: 'user' });
          return (process.exitCode ?? EXIT.done) as ExitCode;
        }),
      ),
} satisfies CommandFile;
