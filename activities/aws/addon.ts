import { createHash } from 'node:crypto';
import { CreateAddonCommand, DeleteAddonCommand, DescribeAddonCommand, DescribeAddonConfigurationCommand, DescribeUpdateCommand, UpdateAddonCommand } from '@aws-sdk/client-eks';
import type { Addon } from '@aws-sdk/client-eks';
import { parse } from 'yaml';
import { confinedToAwsNodes, isOffCiliumNodes, offCiliumNodes, ON_AWS_NODES } from '../../domain/cilium/placement.js';
import { CiliateError } from '../../domain/failures.js';
import { hasInEveryTerm } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { VPC_CNI_ADDON } from '../../domain/names.js';
import { awsErrorName } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { eksClusterName } from './eksCluster.js';

/** The add-on that owns aws-node, and the cluster that it belongs to. */
export interface VpcCniAddon {
  cluster: string;
  addon: Addon;
}

/** Undefined where aws-node is not an EKS add-on. */
export async function readAddon(clients: Clients): Promise<VpcCniAddon | undefined> {
  const cluster = await eksClusterName(clients);
  if (cluster === null) return undefined;
  try {
    const { addon } = await clients.aws.eks.send(new DescribeAddonCommand({ clusterName: cluster, addonName: VPC_CNI_ADDON }));
    return addon && { cluster, addon };
  } catch (error) {
    if (awsErrorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Configuration values as EKS keeps them: JSON or YAML, or nothing. */
export function parseConfiguration(text: string | undefined): Record<string, unknown> {
  const value: unknown = text === undefined || text.trim() === '' ? {} : parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Whether the add-on itself asks for the confinement, whatever the live DaemonSet says. */
export function addonRestricted(addon: Addon): boolean {
  return hasInEveryTerm(configuredAffinity(addon), ON_AWS_NODES);
}

/** Whether the add-on itself asks for what the way back needs. */
export function addonOffCiliumNodes(addon: Addon): boolean {
  return isOffCiliumNodes(configuredAffinity(addon));
}

function configuredAffinity({ configurationValues }: { configurationValues?: string | undefined }): Affinity | undefined {
  return parseConfiguration(configurationValues)['affinity'] as Affinity | undefined;
}

/**
 * Merges `affinity` into the add-on's configuration; everything else of it stays. Returns the update's id.
 *
 * PRESERVE, not OVERWRITE: OVERWRITE puts back EKS's default wherever somebody had changed a value by hand (aws-node's
 * environment above all: eksctl#933), which is not ours to undo. A live affinity that somebody set by hand is preserved too, and
 * is patched afterwards (lookAwsNodeRestricted). Version and role are named as they are: without a role EKS falls back to the
 * node's; pod identity is left out, which means no change.
 */
export async function updateAddonAffinity(clients: Clients, { cluster, addon }: VpcCniAddon, affinity: Affinity | undefined): Promise<string | undefined> {
  await assertSchema(clients, addon);
  const { affinity: _replaced, ...rest } = parseConfiguration(addon.configurationValues);
  const configurationValues = JSON.stringify(affinity === undefined ? rest : { ...rest, affinity });
  const { update } = await clients.aws.eks.send(
    new UpdateAddonCommand({
      clusterName: cluster,
      addonName: VPC_CNI_ADDON,
      addonVersion: addon.addonVersion,
      serviceAccountRoleArn: addon.serviceAccountRoleArn,
      resolveConflicts: 'PRESERVE',
      configurationValues,
      clientRequestToken: token(addon, configurationValues),
    }),
  );
  return update?.id;
}

/** The same change of the same state is the same request, however often it is sent. */
function token(addon: Addon, configurationValues: string): string {
  return createHash('sha256').update(`${addon.addonArn}\n${addon.modifiedAt?.toISOString()}\n${configurationValues}`).digest('hex').slice(0, 48);
}

/** The affinity to ask for: what the configuration says, else the live terms, each with ours appended. */
export function restrictedAffinity(addon: Addon, live: Affinity | undefined): Affinity {
  return confinedToAwsNodes(configuredAffinity(addon) ?? live);
}

/** The same for the way back. */
export function openedAffinity(addon: { configurationValues?: string | undefined }, live: Affinity | undefined): Affinity {
  return offCiliumNodes(configuredAffinity(addon) ?? live);
}

/** What a saved add-on is made again from. */
export interface AddonToCreate {
  cluster: string;
  addonVersion?: string | undefined;
  configurationValues?: string | undefined;
  serviceAccountRoleArn?: string | undefined;
  podIdentity?: { serviceAccount: string; roleArn: string }[] | undefined;
}

/**
 * Makes the add-on again, with `affinity` in its configuration from the first moment on: without it aws-node would come to every
 * node of Cilium at once. OVERWRITE: what is left of aws-node's objects goes back to EKS.
 */
export async function createAddon(clients: Clients, saved: AddonToCreate, affinity: Affinity): Promise<void> {
  await assertSchema(clients, { addonVersion: saved.addonVersion, clusterName: saved.cluster });
  const configurationValues = JSON.stringify({ ...parseConfiguration(saved.configurationValues), affinity });
  try {
    await clients.aws.eks.send(
      new CreateAddonCommand({
        clusterName: saved.cluster,
        addonName: VPC_CNI_ADDON,
        addonVersion: saved.addonVersion,
        serviceAccountRoleArn: saved.serviceAccountRoleArn,
        ...(saved.podIdentity === undefined || saved.podIdentity.length === 0 ? {} : { podIdentityAssociations: saved.podIdentity }),
        resolveConflicts: 'OVERWRITE',
        configurationValues,
      }),
    );
  } catch (error) {
    // It is there by now: what is looked at next.
    if (awsErrorName(error) !== 'ResourceInUseException') throw error;
  }
}

async function assertSchema(clients: Clients, addon: Pick<Addon, 'addonVersion' | 'clusterName'>): Promise<void> {
  const { configurationSchema } = await clients.aws.eks.send(
    new DescribeAddonConfigurationCommand({ addonName: VPC_CNI_ADDON, addonVersion: addon.addonVersion ?? '' }),
  );
  if (configurationSchema === undefined || schemaTakes(configurationSchema, 'affinity') !== false) return;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `EKS add-on ${VPC_CNI_ADDON} ${addon.addonVersion}`,
      expected: 'a configuration schema that takes affinity',
      seen: 'none',
      todo: `Update the add-on to a version that does, or let go of it and keep aws-node: aws eks delete-addon --cluster-name ${addon.clusterName} --addon-name ${VPC_CNI_ADDON} --preserve; then retry.`,
    },
    { code: 'AddonWithoutAffinity' },
  );
}

/** Whether a JSON Schema has a top-level property, `$ref` followed; null where it cannot be told. */
export function schemaTakes(text: string, property: string): boolean | null {
  try {
    const root = JSON.parse(text) as Record<string, unknown>;
    let at: unknown = root;
    for (let depth = 0; depth < 5 && isRecord(at) && typeof at['$ref'] === 'string'; depth++) {
      at = at['$ref'].replace(/^#\//, '').split('/').reduce<unknown>((node, key) => (isRecord(node) ? node[key] : undefined), root);
    }
    if (!isRecord(at) || !isRecord(at['properties'])) return null;
    return property in at['properties'] || (isRecord(at['additionalProperties']) ? null : false);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Errors of an update that failed; undefined while it is under way or went well. */
export async function updateFailure(clients: Clients, cluster: string, updateId: string): Promise<string | undefined> {
  try {
    const { update } = await clients.aws.eks.send(new DescribeUpdateCommand({ name: cluster, addonName: VPC_CNI_ADDON, updateId }));
    if (update?.status !== 'Failed' && update?.status !== 'Cancelled') return undefined;
    return (update.errors ?? []).map((error) => `${error.errorCode}: ${error.errorMessage}`).join('; ') || update.status;
  } catch (error) {
    // Updates are forgotten after some days; the add-on's own status still tells.
    if (awsErrorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

export async function deleteAddon(clients: Clients, cluster: string): Promise<void> {
  try {
    await clients.aws.eks.send(new DeleteAddonCommand({ clusterName: cluster, addonName: VPC_CNI_ADDON, preserve: false }));
  } catch (error) {
    if (awsErrorName(error) !== 'ResourceNotFoundException') throw error;
  }
}
