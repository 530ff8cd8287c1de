import { DescribeSecurityGroupsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import type { Instance, IpPermission } from '@aws-sdk/client-ec2';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { ciliumNameOf } from '../../domain/mesh/names.js';
import type { IngressRule, MeshMember } from '../../domain/mesh/observed.js';
import { CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { readInstances } from '../aws/instances.js';
import { withHelmTarget } from '../cilium/helmTarget.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { isOurs, readRelease } from '../helm/release.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';
import { listNodes, readAgents, systemDaemonSet } from '../kubernetes/lists.js';
import { AwsCalls } from '../observe/awsCalls.js';
import { batches, readable } from '../observe/lists.js';
import { digestOf, readCa } from './ca.js';

const CONTROLLER = 'aws-load-balancer-controller';
/** Instance ids in one filter of DescribeInstances. */
const BATCH = 100;

/** What one cluster says of itself; reads only. */
export async function observeMember(clients: Clients, manifest: Manifest): Promise<MeshMember> {
  const { core, apps } = clients.kube;
  const [namespace, config, daemonSet, agents, ca, ledger, release, network, controller] = await Promise.all([
    core.readNamespace({ name: KUBE_SYSTEM }),
    orUndefined(core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: 'cilium-config' })),
    systemDaemonSet(clients, CILIUM),
    readAgents(clients),
    readCa(clients),
    readCniLedger(clients),
    withHelmTarget(clients, async (target) => {
      const found = await readRelease(target);
      return found === null ? null : { chartVersion: found.chartVersion, status: found.status, ours: isOurs(found, target.lastAttempt), values: found.values };
    }),
    observeNetwork(clients),
    readable(apps.readNamespacedDeployment({ namespace: KUBE_SYSTEM, name: CONTROLLER }), null),
  ]);
  const { cilium } = manifest.spec;
  return {
    name: manifest.metadata.name,
    wanted: { clusterName: ciliumNameOf(manifest), clusterId: cilium.clusterId ?? null, version: cilium.version },
    uid: namespace.metadata?.uid ?? '',
    config: config === undefined ? null : (config.data ?? {}),
    release,
    agents: { desired: daemonSet?.status?.desiredNumberScheduled ?? 0, ready: daemonSet?.status?.numberReady ?? 0 },
    awsNodes: agents.awsPods.size,
    ca: ca === undefined ? null : digestOf(ca),
    mesh: ledger.mesh?.mesh ?? null,
    ...network,
    loadBalancerController: controller !== null,
  };
}

/** Networks and security groups of the nodes, as EC2 says; what it refuses to say is left out, and preflight tells. */
async function observeNetwork(clients: Clients): Promise<Pick<MeshMember, 'vpcCidrs' | 'securityGroups'>> {
  const calls = new AwsCalls();
  const ids = (await listNodes(clients)).flatMap((node) => instanceIdOf(node) ?? []);
  const instances = await calls.use('ec2:DescribeInstances', async () => (await Promise.all(batches(ids, BATCH).map((batch) => readInstances(clients, batch)))).flat(), []);
  const vpcs = unique(instances.map(({ VpcId }) => VpcId));
  const groups = unique(instances.flatMap(groupsOf));
  const [vpcCidrs, securityGroups] = await Promise.all([
    vpcs.length === 0 ? [] : calls.use('ec2:DescribeVpcs', () => networksOf(clients, vpcs), []),
    groups.length === 0 ? null : calls.use<MeshMember['securityGroups']>('ec2:DescribeSecurityGroups', () => rulesOf(clients, groups), null),
  ]);
  return { vpcCidrs, securityGroups };
}

async function networksOf(clients: Clients, vpcs: string[]): Promise<string[]> {
  const { Vpcs = [] } = await clients.aws.ec2.send(new DescribeVpcsCommand({ VpcIds: vpcs }));
  return unique(Vpcs.flatMap(({ CidrBlock, CidrBlockAssociationSet = [] }) => [CidrBlock, ...CidrBlockAssociationSet.map((one) => one.CidrBlock)])).sort();
}

async function rulesOf(clients: Clients, groups: string[]): Promise<NonNullable<MeshMember['securityGroups']>> {
  const { SecurityGroups = [] } = await clients.aws.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: groups }));
  return SecurityGroups.map(({ GroupId, IpPermissions = [] }) => ({ id: GroupId ?? '', rules: IpPermissions.map(ruleOf) }));
}

function ruleOf({ IpProtocol, FromPort, ToPort, IpRanges = [], UserIdGroupPairs = [], PrefixListIds = [] }: IpPermission): IngressRule {
  return {
    protocol: IpProtocol ?? '-1',
    from: FromPort ?? null,
    to: ToPort ?? null,
    cidrs: IpRanges.flatMap(({ CidrIp }) => CidrIp ?? []),
    references: [...UserIdGroupPairs.flatMap(({ GroupId }) => GroupId ?? []), ...PrefixListIds.flatMap(({ PrefixListId }) => PrefixListId ?? [])],
  };
}

function groupsOf({ SecurityGroups = [], NetworkInterfaces = [] }: Instance): (string | undefined)[] {
  return [...SecurityGroups, ...NetworkInterfaces.flatMap(({ Groups = [] }) => Groups)].map(({ GroupId }) => GroupId);
}

function unique(values: (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[];
}
