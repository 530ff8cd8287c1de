import { DescribeClusterCommand, ListClustersCommand } from '@aws-sdk/client-eks';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { sameServer } from '../observe/eks.js';

const known = new WeakMap<Clients, Promise<string | null>>();

/**
 * Name of the EKS cluster behind these clients: the reference's, or the one whose endpoint the kubeconfig points at. Null
 * where it is no EKS cluster of this account and region, or where we may not look: then there is no add-on that we could ask for.
 */
export function eksClusterName(clients: Clients): Promise<string | null> {
  if (clients.ref.eks !== undefined) return Promise.resolve(clients.ref.eks.name);
  let name = known.get(clients);
  if (name === undefined) {
    name = find(clients);
    known.set(clients, name);
    name.catch(() => known.delete(clients));
  }
  return name;
}

async function find(clients: Clients): Promise<string | null> {
  for (const name of hints(clients)) if (await isIt(clients, name)) return name;
  let nextToken: string | undefined;
  do {
    const page = await allowed(clients.aws.eks.send(new ListClustersCommand({ nextToken })));
    for (const name of page?.clusters ?? []) if (await isIt(clients, name)) return name;
    nextToken = page?.nextToken;
  } while (nextToken !== undefined);
  return null;
}

async function isIt(clients: Clients, name: string): Promise<boolean> {
  const answer = await allowed(clients.aws.eks.send(new DescribeClusterCommand({ name })));
  return answer?.cluster?.endpoint !== undefined && sameServer(answer.cluster.endpoint, clients.kube.server);
}

/** `aws eks update-kubeconfig` leaves the name in the ARN of the entry and in the arguments of the token command. */
function hints({ kube }: Clients): string[] {
  const arn = /:cluster\/([^/]+)$/.exec(kube.config.getCurrentCluster()?.name ?? '')?.[1];
  const exec = kube.config.getCurrentUser()?.exec as { args?: string[] } | null | undefined;
  const args = exec?.args ?? [];
  const at = args.findIndex((arg) => arg === '--cluster-name' || arg === '-i');
  return [...new Set([arn, at === -1 ? undefined : args[at + 1]].filter((name) => name !== undefined))];
}

/** Undefined where the call is forbidden or names nothing; preflight has said what that means. */
async function allowed<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (/AccessDenied|ResourceNotFound|UnauthorizedOperation/.test(awsErrorName(error) ?? '')) return undefined;
    throw error;
  }
}
