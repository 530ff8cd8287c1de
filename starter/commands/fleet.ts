import type { FleetStatus } from '../../domain/fleet/status.js';
import { Command, exits, GROUP, notEmpty, Option, outputOption, reasonOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, failedError, unreachableError } from '../exit.js';
import type { ExitCode } from '../exit.js';
import type { Fallback } from '../run/say.js';

export default {
  place: 28,
  build: () => {
    const fleet = new Command('fleet').description('migrate many clusters, ring after ring: fleet start | status | pause | resume | abort | approve').helpGroup(GROUP.several);
    for (const command of [start(), status(), verb('pause', 'start no other cluster; those under way pause between nodes', 'signal'), verb('resume', 'go on after a pause, also after one of its own', 'signal'), verb('abort', 'abort every cluster under way and start no other; nothing is rolled back', 'cancel'), approve()]) {
      fleet.addCommand(command.exitOverride().showSuggestionAfterError(true).showHelpAfterError(`(see ciliate fleet ${command.name()} --help)`));
    }
    return fleet;
  },
} satisfies CommandFile;

const nameArgument = '<FLEET>';
const NAME = 'metadata.name of the FLEET file';

function start(): Command {
  return new Command('start')
    .description('start a fleet, or go on with one that ended: every cluster picks up from its own state')
    .addOption(new Option('-f, --file <FLEET>', 'Fleet (YAML); - reads stdin').makeOptionMandatory())
    .option('--watch', 'follow the fleet until it ends; the exit code says how it ended')
    .action(
      exits(async (options: { file: string; watch?: boolean }) => {
        const { readFleetFile } = await import('../fleet/read.js');
        const { withClient } = await import('../client.js');
        const { startFleet } = await import('../fleet/run.js');
        const input = readFleetFile(options.file);
        const { name } = input.metadata;
        return withClient(async ({ client }) => {
          console.log(`started fleet ${name}: workflow ${await startFleet(client, input)}`);
          if (options.watch) return follow(name, 'table');
          console.log(`follow it with \`ciliate fleet status ${name} --watch\``);
          return EXIT.done;
        });
      }),
    );
}

function status(): Command {
  return new Command('status')
    .description('how a fleet stands: rings, clusters, what blocks, which gate waits')
    .argument(nameArgument, NAME, notEmpty)
    .addOption(outputOption('table', 'json'))
    .option('--watch', 'follow the fleet until it ends; the exit code says how it ended')
    .action(
      exits(async (name: string, options: { output?: 'table' | 'json'; watch?: boolean }) => {
        if (options.watch) return follow(name, options.output ?? 'table');
        const { withRun } = await import('../run/with-run.js');
        const { FLEET, readFleetStatus } = await import('../fleet/run.js');
        const { renderFleet } = await import('../../domain/report/fleet.js');
        const seen = await withRun(name, ({ client, run }) => readFleetStatus(client, run), FLEET);
        process.stdout.write(options.output === 'json' ? `${JSON.stringify(seen, null, 2)}\n` : renderFleet(seen, new Date().toISOString()));
        return EXIT.done;
      }),
    );
}

async function follow(name: string, format: 'table' | 'json'): Promise<ExitCode> {
  const { withClient } = await import('../client.js');
  const { exitCodeOfFleet, watchFleet } = await import('../fleet/run.js');
  const { fleetScreen } = await import('../fleet/screen.js');
  const last = await withClient(({ client }) => watchFleet(client, name, fleetScreen(process.stdout, format)));
  if (last.problem !== null) console.error(`fleet ${name}: ${last.problem}`);
  return exitCodeOfFleet(last);
}

/** A verb that only takes a reason. */
function verb(name: string, description: string, fallback: Fallback): Command {
  return new Command(name)
    .description(description)
    .argument(nameArgument, NAME, notEmpty)
    .addOption(reasonOption())
    .action(
      exits(async (fleet: string, options: { reason: string }) => {
        const { withRun } = await import('../run/with-run.js');
        const { said, say } = await import('../run/say.js');
        const { FLEET } = await import('../fleet/run.js');
        console.log(await withRun(fleet, ({ client, run }) => say(client, run, { message: { verb: name, body: said(options.reason) }, fallback }), FLEET));
        return EXIT.done;
      }),
    );
}

function approve(): Command {
  return new Command('approve')
    .description('approve the gate after a ring, for exactly what it shows now')
    .argument(nameArgument, NAME, notEmpty)
    .argument('<RING>', 'name of the ring', notEmpty)
    .addOption(reasonOption())
    .option('--digest <DIGEST>', 'what is approved, from an earlier status: lands even while no worker answers')
    .action(
      exits(async (fleet: string, ring: string, options: { reason: string; digest?: string }) => {
        const { withRun } = await import('../run/with-run.js');
        const { ask, expectOpen } = await import('../run/handle.js');
        const { said, say } = await import('../run/say.js');
        const { FLEET } = await import('../fleet/run.js');
        const answer = await withRun(
          fleet,
          async ({ client, run }) => {
            expectOpen(run);
            const seen = await ask<FleetStatus>(client, run, { query: 'status' });
            const digest = seen === undefined ? options.digest : openDigest(seen, ring, options.digest);
            if (digest === undefined) throw unreachableError(`no worker answers, so what ring ${ring} decides cannot be shown: start one with \`ciliate worker\`, or give --digest from an earlier \`ciliate fleet status ${fleet} -o json\``);
            return say(client, run, { message: { verb: 'approve', body: { ...said(options.reason), gate: ring, digest } as { by: string; reason: string } }, fallback: 'signal' });
          },
          FLEET,
        );
        console.log(answer);
        return EXIT.done;
      }),
    );
}

/** The digest of the open gate, after showing what it covers. Refuses another ring, and another digest than the one typed. */
function openDigest({ gate, state, fleet }: FleetStatus, ring: string, typed: string | undefined): string {
  if (gate?.ring !== ring) throw failedError(`the gate after ring ${ring} is not open: ${gate === null ? `no gate is (state ${state})` : `the one after ${gate?.ring} is`}`);
  if (typed !== undefined && typed !== gate.digest) throw failedError(`ring ${ring} now stands otherwise than ${typed}: see \`ciliate fleet status ${fleet}\``);
  console.error(`ring ${ring} stands so:\n${gate.shows.map((line) => `  ${line}`).join('\n')}\n  digest ${gate.digest}`);
  return gate.digest;
}
