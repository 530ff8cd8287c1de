import { DescribeNodegroupCommand, DescribeUpdateCommand, ListNodegroupsCommand, ListUpdatesCommand } from '@aws-sdk/client-eks';
import type { Nodegroup } from '@aws-sdk/client-eks';
import type { ObservedCluster, Taint } from '../../domain/observation.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { findEksCluster } from './eksCluster.js';
import { bounded } from './lists.js';

export interface EksSeen {
  eks: ObservedCluster['eks'];
  arn?: string;
  /** Roles of the managed node groups. */
  nodeRoles: string[];
}

const TAINT_EFFECT: Record<string, string> = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute', PREFER_NO_SCHEDULE: 'PreferNoSchedule' };

/** The EKS cluster behind the API server: by name, or by its endpoint among those of the account and region. */
export async function observeEks(clients: Clients, calls: AwsCalls): Promise<EksSeen> {
  const cluster = await findEksCluster(clients, calls);
  if (cluster === null) return { eks: null, nodeRoles: [] };
  const name = cluster.name ?? '';
  const [groups, updates] = await Promise.all([nodegroups(clients, calls, name), updatesInProgress(clients, calls, { name })]);
  const groupUpdates = await bounded(groups, 4, (group) => updatesInProgress(clients, calls, { name, nodegroupName: group.nodegroupName }));
  return {
    eks: {
      name,
      version: cluster.version ?? '',
      ipFamily: cluster.kubernetesNetworkConfig?.ipFamily === 'ipv6' ? 'ipv6' : 'ipv4',
      autoMode: cluster.computeConfig?.enabled === true,
      vpcId: cluster.resourcesVpcConfig?.vpcId,
      status: cluster.status ?? '',
      updatesInProgress: [...updates, ...groupUpdates.flat()].sort(),
      nodegroups: groups.map((group) => ({
        name: group.nodegroupName ?? '',
        labels: group.labels ?? {},
        taints: taintsOf(group),
        autoScalingGroups: (group.resources?.autoScalingGroups ?? []).map((each) => each.name ?? ''),
        status: group.status ?? '',
      })),
    },
    arn: cluster.arn,
    nodeRoles: [...new Set(groups.flatMap(({ nodeRole }) => nodeRole ?? []))],
  };
}

function taintsOf(group: Nodegroup): Taint[] {
  return (group.taints ?? []).map(({ key, value, effect }) => ({
    key: key ?? '',
    effect: TAINT_EFFECT[effect ?? ''] ?? String(effect),
    ...(value === undefined ? {} : { value }),
  }));
}

async function nodegroups(clients: Clients, calls: AwsCalls, clusterName: string): Promise<Nodegroup[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await calls.use('eks:ListNodegroups', () => clients.aws.eks.send(new ListNodegroupsCommand({ clusterName, nextToken })), null);
    names.push(...(page?.nodegroups ?? []));
    nextToken = page?.nextToken;
  } while (nextToken !== undefined);
  const groups = await bounded(names, 4, async (nodegroupName) => {
    const answer = await calls.use('eks:DescribeNodegroup', () => clients.aws.eks.send(new DescribeNodegroupCommand({ clusterName, nodegroupName })), null);
    return answer?.nodegroup;
  });
  return groups.flatMap((group) => group ?? []);
}

/** EKS lists updates newest first and keeps them for days: one that is in progress is among the first. */
async function updatesInProgress(clients: Clients, calls: AwsCalls, of: { name: string; nodegroupName?: string }): Promise<string[]> {
  const ids = await calls.use(
    'eks:ListUpdates',
    async () => (await optional(clients.aws.eks.send(new ListUpdatesCommand({ ...of, maxResults: 20 }))))?.updateIds ?? [],
    [],
  );
  const updates = await bounded(ids, 4, async (updateId) => {
    const answer = await calls.use('eks:DescribeUpdate', () => optional(clients.aws.eks.send(new DescribeUpdateCommand({ ...of, updateId }))), null);
    return answer?.update;
  });
  const where = of.nodegroupName === undefined ? 'the cluster' : `node group ${of.nodegroupName}`;
  return updates.flatMap((update) => (update?.status === 'InProgress' ? [`${update.id ?? ''} (${update.type ?? ''} of ${where})`] : []));
}

/** Null where EKS does not know it (any more): a group that goes away while it is looked at. */
async function optional<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (awsErrorName(error) === 'ResourceNotFoundException' || awsErrorName(error) === 'NotFoundException') return null;
    throw error;
  }
}
