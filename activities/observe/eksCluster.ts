import { readFile } from 'node:fs/promises';
import { DescribeClusterCommand, ListClustersCommand } from '@aws-sdk/client-eks';
import type { Cluster } from '@aws-sdk/client-eks';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { AwsCalls } from './awsCalls.js';
import { bounded } from './lists.js';

/** Clusters of one account and region that are compared with a kubeconfig; beyond it the spec should name its cluster. */
const CANDIDATES = 100;

/**
 * The EKS cluster behind the API server: by the name in the spec; else the one with the kubeconfig's certificate authority (each EKS
 * cluster has one of its own, also through a tunnel) or endpoint. Null where there is none that the worker may see.
 */
export async function findEksCluster(clients: Clients, calls = new AwsCalls()): Promise<Cluster | null> {
  if (clients.ref.eks !== undefined) return describe(clients, calls, clients.ref.eks.name);
  const authority = await kubeconfigAuthority(clients);
  const isIt = (cluster: Cluster | null): cluster is Cluster =>
    cluster !== null &&
    ((cluster.endpoint !== undefined && sameServer(cluster.endpoint, clients.kube.server)) ||
      (authority !== undefined && cluster.certificateAuthority?.data !== undefined && pem(cluster.certificateAuthority.data) === authority));
  for (const name of namesInKubeconfig(clients)) {
    const cluster = await describe(clients, calls, name);
    if (isIt(cluster)) return cluster;
  }
  const names = await listClusters(clients, calls);
  const found = await bounded(names.slice(0, CANDIDATES), 4, (name) => describe(clients, calls, name));
  return found.find(isIt) ?? null;
}

/** The certificate authority as text, whether the kubeconfig holds it or names its file. */
async function kubeconfigAuthority({ kube }: Clients): Promise<string | undefined> {
  const cluster = kube.config.getCurrentCluster();
  if (cluster?.caData !== undefined) return pem(cluster.caData);
  if (cluster?.caFile === undefined) return undefined;
  return (await readFile(cluster.caFile, 'utf8').catch(() => undefined))?.replaceAll(/\s/g, '');
}

function pem(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8').replaceAll(/\s/g, '');
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
