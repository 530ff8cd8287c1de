import { findForce, FORCE, forceCommand, forceLines } from '../../domain/force.js';
import { GATES } from '../../domain/spec/words.js';
import type { MigrationStatus } from '../../domain/status.js';
import { Command, exits, GROUP, InvalidArgumentError, notEmpty, reasonOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import { EXIT, failedError, unreachableError } from '../exit.js';

interface Options {
  reason: string;
  node?: string;
  pod: string[];
  digest?: string;
}

export default {
  place: 24,
  build: () =>
    new Command('approve')
      .description('approve an open gate, for exactly what it shows now')
      .helpGroup(GROUP.say)
      .argument('<CLUSTER>', 'metadata.name of the SPEC', notEmpty)
      .argument('<GATE>', [...GATES, FORCE].join(', '), notEmpty)
      .addOption(reasonOption())
      .option('--node <NODE>', 'for force: the node whose drain waits')
      .option('--pod <NAMESPACE/NAME>', 'for force: a pod that may be deleted; may be repeated', pod, [])
      .option('--digest <DIGEST>', 'what is approved, from an earlier status: lands even while no worker answers')
      .action(exits(approve)),
} satisfies CommandFile;

async function approve(cluster: string, gate: string, options: Options): Promise<0> {
  const { withRun } = await import('../run/with-run.js');
  const { ask, expectOpen } = await import('../run/handle.js');
  const { said, say } = await import('../run/say.js');
  const answer = await withRun(cluster, async ({ client, run }) => {
    expectOpen(run);
    const status = await ask<MigrationStatus>(client, run, { query: 'status' });
    const digest = status === undefined ? options.digest : gate === FORCE ? forceDigest(status, options) : openDigest(status, gate, options.digest);
    if (digest === undefined) {
      throw unreachableError(`no worker answers, so what ${gate} decides cannot be shown: start one with \`ciliate worker\`, or give --digest from an earlier \`ciliate status ${cluster} -o json\``);
    }
    const body = {
      ...said(options.reason),
      gate,
      digest,
      ...(options.node === undefined ? {} : { node: options.node }),
      ...(options.pod.length === 0 ? {} : { pods: options.pod }),
    };
    return say(client, run, { message: { verb: 'approve', body }, fallback: 'signal' });
  });
  console.log(answer);
  return EXIT.done;
}

/** The digest of the open gate, after showing what it covers. Refuses another gate, and another digest than the one typed. */
function openDigest(status: MigrationStatus, gate: string, typed: string | undefined): string {
  const open = status.gate;
  if (open?.gate !== gate) throw failedError(`the gate ${gate} is not open: ${open === null ? `no gate is (state ${status.state}, phase ${status.phase})` : `${open?.gate} is`}`);
  if (typed !== undefined && typed !== open.digest) throw failedError(`${gate} now decides something else than ${typed}: see \`ciliate status ${status.migration}\``);
  console.error(`${gate} decides:\n${open.shows.map((line) => `  ${line}`).join('\n')}\n  digest ${open.digest}`);
  return open.digest;
}

/** The digest of a node's gate, after showing its pods. Without pods it only says which there are: nobody approves them all unread. */
function forceDigest(status: MigrationStatus, { node, pod: pods, digest: typed }: Options): string {
  const open = status.forces.map((force) => force.node.name).join(', ') || 'no node';
  const force = node === undefined ? undefined : findForce(status.forces, node);
  if (force === undefined) throw failedError(`the gate ${FORCE} is ${node === undefined ? 'about one node: name it with --node' : `not open for ${node}`}; it is open for ${open}`);
  if (pods.length === 0) throw failedError(`name the pods that may be deleted: ${forceCommand(status.migration, force)}`);
  if (typed !== undefined && typed !== force.digest) throw failedError(`${FORCE} now decides something else than ${typed}: see \`ciliate status ${status.migration}\``);
  console.error(`${FORCE} of ${force.node.name} is open for:\n${forceLines(force).map((line) => `  ${line}`).join('\n')}\n  digest ${force.digest}`);
  return force.digest;
}

function pod(value: string, before: string[]): string[] {
  if (!/^[^/]+\/[^/]+$/.test(value)) throw new InvalidArgumentError(`expected NAMESPACE/NAME, saw ${JSON.stringify(value)}`);
  return [...before, value];
}
