import { Command, InvalidArgumentError, Option } from 'commander';
import { LabUnreachableError, LabUsageError, messageOf } from './errors.js';
import { labStatus, listLabs, openLab, startLab, stopLab } from './lab.js';
import type { Lab } from './lab.js';
import type { LabOptions } from './options.js';

interface UpFlags {
  name: string;
  nodes?: number;
  groups?: number;
  selfManagedGroups?: boolean;
  zones?: number;
  region?: string;
  vpcCidr?: string;
  bootDelay?: number;
  agentDelay?: number;
  podStartDelay?: number;
  terminationDelay?: number;
  instanceTerminationDelay?: number;
  workload?: string;
  awsNode?: 'addon' | 'selfmanaged';
  cloudController?: 'on' | 'slow' | 'off';
  cloudControllerDelay?: number;
  clusterAutoscaler: boolean;
  karpenter?: number;
  reuseAddress?: boolean;
  staleNode?: 'wait' | 'adopt';
  maxPods?: number;
  egress?: 'nat' | 'igw';
  niceness?: number;
  ownerPid?: number;
}

/** `lab up|down|status|list`, to be mounted into a command line or run on its own. */
export function labCommand(): Command {
  const command = new Command('lab').description('an embedded EKS cluster: real control plane, imitated nodes and AWS');
  command.addCommand(upCommand());
  command
    .command('down')
    .description('stop a lab and remove everything of it')
    .option('--name <name>', 'which lab', 'default')
    .option('--all', 'every lab of this user')
    .action(async (flags: { name: string; all?: boolean }) => {
      const names = flags.all === true ? listLabs().map((lab) => lab.name) : [flags.name];
      await guarded(async () => {
        for (const name of names) await stopLab(name);
      });
    });
  command
    .command('status')
    .description('what runs in a lab, and what went wrong in it')
    .option('--name <name>', 'which lab', 'default')
    .option('-o, --output <format>', 'text or json', 'text')
    .action((flags: { name: string; output: string }) => guarded(() => printStatus(flags)));
  command
    .command('env')
    .description('print the shell exports of a lab that runs')
    .option('--name <name>', 'which lab', 'default')
    .action((flags: { name: string }) => guarded(() => Promise.resolve(printExports(openLab(flags.name)))));
  command
    .command('list')
    .description('the labs of this user')
    .action(() => {
      for (const lab of listLabs()) process.stdout.write(`${lab.name}\t${lab.running ? 'running' : 'dead'}\n`);
    });
  return command;
}

function upCommand(): Command {
  return new Command('up')
    .description('start a lab; prints shell exports when its cluster is ready')
    .option('--name <name>', 'name of the lab and of its EKS cluster', 'default')
    .option('--nodes <n>', 'how many nodes (default 6)', integer)
    .option('--groups <n>', 'how many node groups they are spread over (default 1)', integer)
    .option('--self-managed-groups', 'plain Auto Scaling groups instead of EKS managed node groups')
    .option('--zones <n>', 'how many availability zones, 1 to 3 (default 3)', integer)
    .option('--region <region>', 'AWS region (default eu-west-1)')
    .option('--vpc-cidr <cidr>', 'network of its VPC, 10.N.0.0/16 (default 10.0.0.0/16)')
    .option('--boot-delay <ms>', 'instance running to Node registered', integer)
    .option('--agent-delay <ms>', 'CNI agent bound to Ready', integer)
    .option('--pod-start-delay <ms>', 'pod has its address to Running', integer)
    .option('--termination-delay <ms>', 'pod deleted to gone', integer)
    .option('--instance-termination-delay <ms>', 'instance shutting-down to terminated', integer)
    .option('--workload <what>', 'standard, busy, none, or a number of replicas (default standard)')
    .addOption(new Option('--aws-node <how>', 'who owns aws-node (default addon)').choices(['addon', 'selfmanaged']))
    .addOption(new Option('--cloud-controller <how>', 'who deletes the Node of a dead instance (default on)').choices(['on', 'slow', 'off']))
    .option('--cloud-controller-delay <ms>', 'how long `slow` takes (default 10000)', integer)
    .option('--no-cluster-autoscaler', 'without a cluster-autoscaler Deployment')
    .option('--karpenter <n>', 'so many nodes more, which Karpenter owns (default 0: no Karpenter)', integer)
    .option('--reuse-address', 'a replacement gets the address and name of the instance it replaces')
    .addOption(new Option('--stale-node <how>', 'what a kubelet does with an old Node of its name (default wait)').choices(['wait', 'adopt']))
    .option('--max-pods <n>', 'allocatable pods of a node (default 29)', integer)
    .addOption(new Option('--egress <how>', 'where the subnets route 0.0.0.0/0 (default nat)').choices(['nat', 'igw']))
    .option('--niceness <n>', 'how far the lab steps back for other programs, 0 to 19', integer)
    .option('--owner-pid <pid>', 'end the lab when this process ends', integer)
    .action((flags: UpFlags) =>
      guarded(async () => {
        // Until it is up, the lab is ours to clear away.
        const interrupted = (): void => void stopLab(flags.name).finally(() => process.exit(130));
        process.once('SIGINT', interrupted);
        process.once('SIGTERM', interrupted);
        const lab = await startLab(optionsOf(flags), (line) => process.stderr.write(`lab: ${line}\n`));
        printExports(lab);
      }),
    );
}

function optionsOf(flags: UpFlags): LabOptions {
  const { selfManagedGroups, workload, ...rest } = flags;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as LabOptions;
  if (selfManagedGroups === true) given.managed = false;
  if (workload === 'standard' || workload === 'busy' || workload === 'none') given.workload = workload;
  else if (workload !== undefined) given.workload = integer(workload);
  return given;
}

async function printStatus(flags: { name: string; output: string }): Promise<void> {
  const status = await labStatus(flags.name);
  if (flags.output === 'json') {
    process.stdout.write(`${JSON.stringify(status, undefined, 2)}\n`);
    return;
  }
  const lines = status.nodes.map((node) => {
    const cni = node.labels['cni-plugin'] === undefined ? '' : `  cni-plugin=${node.labels['cni-plugin']}`;
    return `${node.name}  ${node.ready ? 'Ready' : 'NotReady'}  ${node.providerId}${cni}`;
  });
  lines.push(`${String(status.pods.running)} of ${String(status.pods.total)} pods Running`);
  for (const violation of status.violations) lines.push(`VIOLATION ${violation.kind} ${violation.node}: ${violation.detail}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function printExports(lab: Lab): void {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  for (const [name, value] of Object.entries(lab.env)) {
    // The caller's own PATH, not the one that npx made for us.
    const text = name === 'PATH' ? `${quoted(lab.toolsDir)}:"$PATH"` : quoted(value);
    process.stdout.write(`export ${name}=${text}\n`);
  }
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = reportLabError(error);
  }
}

/** Prints what went wrong, one line a problem. @returns the exit code that goes with it: 1, 2 (usage) or 3 (unreachable). */
export function reportLabError(error: unknown): 1 | 2 | 3 {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof LabUsageError) return 2;
  return error instanceof LabUnreachableError ? 3 : 1;
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
