import { Command, exits, GROUP, Option, outputOption } from '../cli/command.js';
import type { CommandFile } from '../cli/command.js';
import type { MeshStatus, MeshVerb } from '../../domain/mesh/run.js';
import { EXIT } from '../exit.js';

interface Options {
  file: string;
  watch?: boolean;
  output: 'table' | 'json';
}

const VERBS: Record<MeshVerb, string> = {
  connect: 'connect migrated clusters: shared CA, Helm values, peers, and what each agent says of it',
  disconnect: 'undo it: Helm values and CA as before, from whatever point connecting came to',
};

export default {
  place: 36,
  build: () => {
    const mesh = new Command('mesh').description('a Cilium cluster mesh over two or more migrated clusters').helpGroup(GROUP.several).exitOverride();
    for (const verb of Object.keys(VERBS) as MeshVerb[]) mesh.addCommand(verbCommand(verb).exitOverride());
    return mesh.addCommand(statusCommand().exitOverride());
  },
} satisfies CommandFile;

function shaped(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('-f, --file <MESH>', 'Mesh (YAML), which names a ClusterMigration for each cluster; - reads stdin').makeOptionMandatory())
    .addOption(outputOption('table', 'json').default('table'));
}

function verbCommand(verb: MeshVerb): Command {
  return shaped(verb, VERBS[verb])
    .option('--watch', 'follow it until it ends; the exit code says how it ended')
    .action(
      exits(async ({ file, watch, output }: Options) => {
        const { readMesh } = await import('../spec/mesh.js');
        const mesh = readMesh(file);
        const { withClient } = await import('../client.js');
        const { meshExit, startMesh, watchMesh } = await import('../mesh/run.js');
        return withClient(async ({ client }) => {
          const { workflowId } = await startMesh(client, { verb, mesh });
          if (output === 'table') console.log(`${verb} started: workflow ${workflowId}`);
          if (!watch) {
            if (output === 'json') console.log(JSON.stringify({ version: 1, mesh: mesh.name, verb, workflowId }, null, 2));
            return EXIT.done;
          }
          const last = await watchMesh(client, mesh.name, (status) => output === 'table' && console.error(`${new Date().toISOString()} ${status.step}`));
          await print(last, output);
          return meshExit(last);
        });
      }),
    );
}

function statusCommand(): Command {
  return shaped('status', 'how the mesh stands, by its clusters themselves; exit code 1 where it is not connected, or that cannot be shown')
    .action(
      exits(async ({ file, output }: Options) => {
        const { readMesh } = await import('../spec/mesh.js');
        const { lookAtMesh } = await import('../mesh/look.js');
        const status = await lookAtMesh(readMesh(file, { needsChart: false }));
        await print(status, output);
        return status.state === 'connected' ? EXIT.done : EXIT.failed;
      }),
    );
}

async function print(status: MeshStatus, output: 'table' | 'json'): Promise<void> {
  const { meshText } = await import('../../domain/mesh/text.js');
  const { findingsText } = await import('../../domain/report/index.js');
  process.stdout.write(output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : `${[meshText(status), ...findingsText(status.findings)].join('\n')}\n`);
}
