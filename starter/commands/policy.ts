import { Command, exits, GROUP, InvalidArgumentError, notEmpty, Option, outputOption, specOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import type { PolicyVerb } from '../../domain/policy/run.js';
import { EXIT } from '../exit.js';

interface Options {
  file: string;
  cluster: string[];
  output: 'table' | 'json';
  dryRun?: boolean;
  timeout?: number;
}

const VERBS: Record<PolicyVerb, string> = {
  apply: 'render and apply it in every cluster that needs it; shows what changes and what the selected pods lose',
  verify: 'is it in place, and do probe pods find the allowed path open and others closed? Exit code 1 also where that could not be shown',
  remove: 'take it away again; only what ciliate made for it',
};

export default {
  place: 37,
  build: () => {
    const policy = new Command('policy')
      .description('these pods of one cluster talk to those of another and to nothing else')
      .helpGroup(GROUP.several)
      .exitOverride();
    for (const verb of Object.keys(VERBS) as PolicyVerb[]) policy.addCommand(verbCommand(verb).exitOverride());
    return policy.addCommand(reportCommand().exitOverride());
  },
} satisfies CommandFile;

function verbCommand(verb: PolicyVerb): Command {
  const command = new Command(verb)
    .description(VERBS[verb])
    .addOption(new Option('-f, --file <POLICY>', 'CrossClusterPolicy, or a CiliumNetworkPolicy as it is (YAML); - reads stdin').makeOptionMandatory())
    .option('--cluster <NAME>', 'for a CiliumNetworkPolicy: a cluster that it is for; may be given several times', (name: string, all: string[]) => [...all, notEmpty(name)], [])
    .addOption(outputOption('table', 'json').default('table'));
  if (verb === 'apply') command.option('--dry-run', 'only show what would change; the API servers check it');
  if (verb === 'verify') command.option('--timeout <SECONDS>', 'how long probe pods may take', seconds, 60);
  return command.action(
    exits(async ({ file, cluster, output, dryRun = false, timeout = 60 }: Options) => {
      const { readPolicy } = await import('../spec/policy.js');
      const given = readPolicy(file, cluster);
      const { withClient } = await import('../client.js');
      const { runPolicy } = await import('../policy/run.js');
      const { renderPolicyResult } = await import('../policy/view.js');
      const result = await withClient(({ client }) => runPolicy(client, { verb, given, dryRun, probeSeconds: timeout }));
      process.stdout.write(renderPolicyResult(result, output));
      return result.state === 'done' ? EXIT.done : EXIT.failed;
    }),
  );
}

function reportCommand(): Command {
  return new Command('report')
    .description('what each NetworkPolicy that is there means under Cilium, and which had no effect before and will have one')
    .addOption(specOption())
    .addOption(outputOption('table', 'json').default('table'))
    .action(
      exits(async ({ file, output }: { file: string; output: 'table' | 'json' }) => {
        const { policyReport } = await import('../policy/report.js');
        process.stdout.write(await policyReport(file, output));
        return EXIT.done;
      }),
    );
}

function seconds(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 600) throw new InvalidArgumentError('expected whole seconds from 1 to 600');
  return number;
}
