import { DescribeAddonCommand, DescribeAddonConfigurationCommand } from '@aws-sdk/client-eks';
import type { Addon } from '@aws-sdk/client-eks';
import type { V1Container, V1DaemonSet } from '@kubernetes/client-node';
import { ON_AWS_NODES } from '../../domain/cilium/placement.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { hasInEveryTerm } from '../../domain/kubernetes/nodeAffinity.js';
import { AWS_NODE, KUBE_SYSTEM, VPC_CNI_ADDON } from '../../domain/names.js';
import type { ObservedAwsNode } from '../../domain/observation.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { readable } from './lists.js';

const AGENT = 'aws-node';
const POLICY_AGENT = ['aws-eks-nodeagent', 'aws-network-policy-agent'];
/** ConfigMap of the VPC CNI; a self-managed one switches its policy controller on here. */
const CONFIG = 'amazon-vpc-cni';

export interface AwsNodeSeen {
  awsNode: ObservedAwsNode | null;
  /** ARN of the add-on, where aws-node is one. */
  addonArn?: string;
}

/** aws-node as it is: its environment decides much of what Cilium must do in its place. Null where it is not there. */
export async function observeAwsNode(clients: Clients, calls: AwsCalls, eksName: string | undefined): Promise<AwsNodeSeen> {
  const [daemonSet, config, addon] = await Promise.all([
    readable(clients.kube.apps.readNamespacedDaemonSet({ namespace: KUBE_SYSTEM, name: AWS_NODE }), null),
    readable(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: CONFIG }), null),
    eksName === undefined ? Promise.resolve(null) : readAddon(clients, calls, eksName),
  ]);
  if (daemonSet === null) return { awsNode: null };
  return {
    awsNode: {
      managedBy: addon === null ? 'self-managed' : 'addon',
      ...(addon === null ? {} : { addon: await describe(clients, calls, addon) }),
      ...template(daemonSet, config?.data ?? {}),
      desired: daemonSet.status?.desiredNumberScheduled ?? 0,
      ready: daemonSet.status?.numberReady ?? 0,
      fieldManagers: [...new Set((daemonSet.metadata?.managedFields ?? []).flatMap(({ manager, subresource }) => (subresource === 'status' ? [] : (manager ?? []))))].sort(),
    },
    ...(addon?.addonArn === undefined ? {} : { addonArn: addon.addonArn }),
  };
}

/** Null where EKS knows no such add-on: then aws-node is the user's own. */
async function readAddon(clients: Clients, calls: AwsCalls, clusterName: string): Promise<Addon | null> {
  const read = async (): Promise<Addon | null> => {
    try {
      return (await clients.aws.eks.send(new DescribeAddonCommand({ clusterName, addonName: VPC_CNI_ADDON }))).addon ?? null;
    } catch (error) {
      if (awsErrorName(error) === 'ResourceNotFoundException') return null;
      throw error;
    }
  };
  return calls.use('eks:DescribeAddon', read, null);
}

async function describe(clients: Clients, calls: AwsCalls, addon: Addon): Promise<NonNullable<ObservedAwsNode['addon']>> {
  const addonVersion = addon.addonVersion ?? '';
  const schema = await calls.use(
    'eks:DescribeAddonConfiguration',
    async () => (await clients.aws.eks.send(new DescribeAddonConfigurationCommand({ addonName: VPC_CNI_ADDON, addonVersion }))).configurationSchema,
    undefined,
  );
  return {
    version: addonVersion,
    status: addon.status ?? '',
    configurationValues: addon.configurationValues,
    serviceAccountRoleArn: addon.serviceAccountRoleArn,
    schemaHasAffinity: schema === undefined ? null : hasAffinity(schema),
  };
}

interface Schema {
  $ref?: string;
  definitions?: Record<string, Schema>;
  properties?: Record<string, unknown>;
}

/** Whether a JSON schema takes a top-level `affinity` (EKS puts the object behind a `$ref`); null where it is no schema that can be read. */
export function hasAffinity(text: string): boolean | null {
  try {
    const schema = JSON.parse(text) as Schema;
    const name = /^#\/definitions\/([^/]+)$/.exec(schema.$ref ?? '')?.[1];
    const { properties } = name === undefined ? schema : (schema.definitions?.[name] ?? {});
    return properties === undefined ? null : 'affinity' in properties;
  } catch {
    return null;
  }
}

function template(daemonSet: V1DaemonSet, config: Record<string, string>): Pick<ObservedAwsNode, 'image' | 'env' | 'enforcesNetworkPolicy' | 'restricted' | 'affinity'> {
  const spec = daemonSet.spec?.template.spec;
  const containers = spec?.containers ?? [];
  const agent = containers.find(({ name }) => name === AGENT) ?? containers[0];
  const affinity = (spec?.affinity ?? null) as Affinity | null;
  return {
    image: agent?.image ?? '',
    env: Object.fromEntries((agent?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    enforcesNetworkPolicy: enforces(containers.find(({ name }) => POLICY_AGENT.includes(name)), config),
    restricted: hasInEveryTerm(affinity, ON_AWS_NODES),
    affinity,
  };
}

/** Whether a DaemonSet aws-node enforces NetworkPolicies; one that was saved in the ledger, too. */
export function enforcesPolicies(daemonSet: V1DaemonSet): boolean {
  return enforces(daemonSet.spec?.template.spec?.containers.find(({ name }) => POLICY_AGENT.includes(name)), {});
}

/** The agent's flag says it; where it is silent, the controller's switch does. */
function enforces(agent: V1Container | undefined, config: Record<string, string>): boolean {
  if (agent === undefined) return false;
  const flag = [...(agent.args ?? []), ...(agent.command ?? [])].find((arg) => arg.startsWith('--enable-network-policy='));
  return flag === undefined ? config['enable-network-policy-controller'] === 'true' : flag.endsWith('=true');
}
