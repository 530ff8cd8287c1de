import { DescribeClusterCommand, DescribeNodegroupCommand, DescribeUpdateCommand, ListClustersCommand, ListNodegroupsCommand, ListUpdatesCommand } from '@aws-sdk/client-eks';
import type { Cluster, Nodegroup } from '@aws-sdk/client-eks';
import type { ObservedCluster, Taint } from '../../domain/observation.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { bounded } from './lists.js';

export interface EksSeen {
  eks: ObservedCluster['eks'];
  arn?: string;
  /** Roles of the managed node groups. */
  nodeRoles: string[];
}

/** Clusters of one account and region that are compared with a kubeconfig; beyond it the spec should name its cluster. */
const CANDIDATES = 100;
const TAINT_EFFECT: Record<string, string> = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute', PREFER_NO_SCHEDULE: 'PreferNoSchedule' };

/** The EKS cluster behind the API server: by name, or by its endpoint among those of the account and region. */
export async function observeEks(clients: Clients, calls: AwsCalls): Promise<EksSeen> {
  const cluster = await findCluster(clients, calls);
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

async function findCluster(clients: Clients, calls: AwsCalls): Promise<Cluster | null> {
  if (clients.ref.eks !== undefined) return describe(clients, calls, clients.ref.eks.name);
  const isIt = (cluster: Cluster | null): cluster is Cluster => cluster?.endpoint !== undefined && sameServer(cluster.endpoint, clients.kube.server);
  for (const name of namesInKubeconfig(clients)) {
    const cluster = await describe(clients, calls, name);
    if (isIt(cluster)) return cluster;
  }
  const names = await listClusters(clients, calls);
  const found = await bounded(names.slice(0, CANDIDATES), 4, (name) => describe(clients, calls, name));
  return found.find(isIt) ?? null;
}

async function describe(clients: Clients, calls: AwsCalls, name: string): Promise<Cluster | null> {
  const read = async (): Promise<Cluster | null> => {
    try {
      return (await clients.aws.eks.send(new DescribeClusterCommand({ name }))).cluster ?? null;
    } catch (error) {
      if (awsErrorName(error) === 'ResourceNotFoundException') return null;
      throw error;
    }
  };
  return calls.use('eks:DescribeCluster', read, null);
}

/** `aws eks update-kubeconfig` leaves the name in the ARN of the entry and in the arguments of the token command. */
function namesInKubeconfig({ kube }: Clients): string[] {
  const arn = /:cluster\/([^/]+)$/.exec(kube.config.getCurrentCluster()?.name ?? '')?.[1];
  const exec = kube.config.getCurrentUser()?.exec as { args?: string[] } | undefined;
  const args = exec?.args ?? [];
  const at = args.findIndex((arg) => arg === '--cluster-name' || arg === '-i');
  const named = at === -1 ? undefined : args[at + 1];
  return [...new Set([arn, named].flatMap((name) => name ?? []))];
}

async function listClusters(clients: Clients, calls: AwsCalls): Promise<string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await calls.use('eks:ListClusters', () => clients.aws.eks.send(new ListClustersCommand({ nextToken })), null);
    names.push(...(page?.clusters ?? []));
    nextToken = page?.nextToken;
  } while (nextToken !== undefined && names.length < CANDIDATES);
  return names;
}

/** Host and port; schemes and trailing slashes are spelt differently here and there. */
export function sameServer(a: string, b: string): boolean {
  const host = (text: string): string => {
    try {
      const url = new URL(text.includes('://') ? text : `https://${text}`);
      return `${url.hostname.toLowerCase()}:${url.port === '' ? '443' : url.port}`;
    } catch {
      return text;
    }
  };
  return host(a) === host(b);
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
