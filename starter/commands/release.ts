import { Command, exits, GROUP, notEmpty } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, usageError } from '../exit.js';

interface Options {
  file?: string;
  holder?: string;
}

export default {
  place: 13,
  build: () =>
    new Command('release')
      .description('give a cluster back whose run died for good: guards as they were, Lease removed; refuses while the run is open')
      .helpGroup(GROUP.run)
      .argument('[CLUSTER]', 'metadata.name of the SPEC that it was started with')
      .option('-f, --file <SPEC>', 'instead of CLUSTER: works without Temporal, too, for a holder that is named', notEmpty)
      .option('--holder <HOLDER>', 'release it even though HOLDER, named exactly, is not known to have ended', notEmpty)
      .action(
        exits(async (cluster: string | undefined, { file, holder }: Options) => {
          if ((cluster === undefined) === (file === undefined)) throw usageError('release: expected either CLUSTER or -f SPEC');
          const { releaseByName, releaseBySpec } = await import('../release/release.js');
          const released = file === undefined ? await releaseByName(cluster ?? '', holder) : await releaseBySpec(file, holder);
          const lines = [
            ...released.given.map((line) => `given back: ${line}`),
            ...released.left.map((line) => `left as it is, no longer ours: ${line}`),
            ...released.missed.map((line) => `missed meanwhile: ${line}`),
            released.holder === null ? 'nobody held the Lease' : `Lease released, it was held by ${released.holder}`,
          ];
          console.log(lines.join('\n'));
          return EXIT.done;
        }),
      ),
} satisfies CommandFile;
