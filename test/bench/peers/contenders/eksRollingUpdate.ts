import { CreateLaunchTemplateVersionCommand, DescribeLaunchTemplatesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Field } from '../../../support/field.js';
import type { Contender } from '../contender.js';
import { ARTICLE, runScript, scriptsMissing } from '../script.js';
import { surgeBound } from '../shape.js';
import { eksRollingUpdateCommand } from '../venv.js';

/** Its waits between looks are 90 s and 20 s; on a lab whose nodes boot in 10 s they would be all that is measured. */
const PATIENCE = { CLUSTER_HEALTH_WAIT: '1', CLUSTER_HEALTH_RETRY: '60', GLOBAL_HEALTH_WAIT: '1', GLOBAL_MAX_RETRY: '60', K8S_PROXY_BYPASS: 'true' };

/** Its sign that a node is outdated: a newer version of its launch template. */
async function outdate(field: Field): Promise<void> {
  const ec2 = field.aws(EC2Client);
  const { LaunchTemplates = [] } = await ec2.send(new DescribeLaunchTemplatesCommand({}));
  for (const { LaunchTemplateId } of LaunchTemplates) {
    await ec2.send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateId, SourceVersion: '1', LaunchTemplateData: {} }));
  }
}

async function roll(field: Field): Promise<string> {
  return `${await eksRollingUpdateCommand()} --cluster_name ${field.lab.clusterName}`;
}

/** hellofresh/eks-rolling-update 1.1.8 for the nodes; what comes before and after them is the article's. */
export const eksRollingUpdate: Contender = {
  name: 'eks-rolling-update',
  ours: false,
  bound: (nodes) => surgeBound(nodes, nodes),
  missing: async () =>
    scriptsMissing() ??
    eksRollingUpdateCommand().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    ),
  start: async (field) => {
    await outdate(field);
    return runScript(field, [`${ARTICLE} prepare`, await roll(field), `${ARTICLE} finish`], PATIENCE);
  },
  again: async (field) => runScript(field, [await roll(field), `${ARTICLE} finish`], PATIENCE),
};
