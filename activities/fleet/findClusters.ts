import { DescribeClusterCommand, paginateListClusters } from '@aws-sdk/client-eks';
import type { EKSClient } from '@aws-sdk/client-eks';
import pLimit from 'p-limit';
import { CiliateError } from '../../domain/failures.js';
import type { Selection } from '../../domain/fleet/schema.js';
import { awsClients } from '../clients/aws.js';
import type { FoundCluster } from './api.js';

/** DescribeCluster is throttled by account and region. */
const AT_ONCE = 5;

interface Place {
  region: string;
  roleArn?: string;
  profile?: string;
}

/** EKS clusters that carry all of the tags, in every account and region of the selection. */
export async function findClusters({ tags, accounts }: Selection): Promise<FoundCluster[]> {
  const places = accounts.flatMap(({ regions, ...account }) => regions.map((region) => ({ ...account, region })));
  const found = (await Promise.all(places.map((place) => findIn(place, tags)))).flat();
  expectUnique(found);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

async function findIn(place: Place, tags: Record<string, string>): Promise<FoundCluster[]> {
  const { eks } = await awsClients(place);
  const names: string[] = [];
  for await (const page of paginateListClusters({ client: eks }, {})) names.push(...(page.clusters ?? []));
  const limit = pLimit(AT_ONCE);
  const carried = await Promise.all(names.map((name) => limit(() => tagsOf(eks, name))));
  return names.filter((_, index) => Object.entries(tags).every(([key, value]) => carried[index]?.[key] === value)).map((name) => ({ name, ...place }));
}

/** None for a cluster that was deleted since it was listed. */
async function tagsOf(eks: EKSClient, name: string): Promise<Record<string, string>> {
  try {
    return (await eks.send(new DescribeClusterCommand({ name }))).cluster?.tags ?? {};
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return {};
    throw error;
  }
}

/** The name becomes the migration's, which is its lock: two clusters cannot share one. */
function expectUnique(found: readonly FoundCluster[]): void {
  const twice = found.filter(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice.length === 0) return;
  const where = twice.map(({ name }) => `${name} (${found.filter((other) => other.name === name).map(({ region, roleArn }) => [region, roleArn].filter(Boolean).join(' of ')).join(', ')})`);
  throw new CiliateError('NeedsHuman', {
    object: 'Fleet select',
    expected: 'EKS clusters with names of their own',
    seen: where.join('; '),
    todo: 'Name such clusters by file, each with a metadata.name of its own, and select the others.',
  });
}
