import type { Instance } from '@aws-sdk/client-ec2';
import { DescribePodIdentityAssociationCommand, ListPodIdentityAssociationsCommand } from '@aws-sdk/client-eks';
import { GetInstanceProfileCommand } from '@aws-sdk/client-iam';
import { CILIUM_OPERATOR, KUBE_SYSTEM } from '../../domain/names.js';
import type { ObservedCluster } from '../../domain/observation.js';
import { valueAt } from '../../domain/hazards/values.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import type { Clients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { cannotSimulate } from './awsAccess.js';
import { bounded, readable } from './lists.js';
import { OPERATOR_ACTIONS } from './permissions.js';
import { simulate } from './simulate.js';

type Rights = ObservedCluster['operatorRights'];

export interface OperatorInput {
  values: HelmValues;
  eksName?: string;
  /** Roles of managed node groups. */
  nodeRoles: readonly string[];
  /** Instances of the nodes, for the profiles of groups that are not managed. */
  instances: readonly Instance[];
}

/** Static keys for the operator; optional, made by hand (Cilium docs, "AWS ENI"). */
const KEYS_SECRET = 'cilium-aws';

/**
 * Whether the role that cilium-operator will run with has its EC2 rights. It runs in the network of the host, so with the role of
 * whatever node it is on, unless it is given one of its own (pod identity, IRSA).
 */
export async function observeOperatorRights(clients: Clients, calls: AwsCalls, input: OperatorInput): Promise<Rights> {
  const keys = await readable(clients.kube.core.readNamespacedSecret({ namespace: KUBE_SYSTEM, name: KEYS_SECRET }), null);
  if (keys !== null) return unproven(`the operator will use the keys in Secret ${KUBE_SYSTEM}/${KEYS_SECRET}`);
  const roles = await operatorRoles(clients, calls, input);
  if (roles.length === 0) return unproven('the role of the nodes could not be found');
  const answers = await bounded(roles, 2, (role) => rightsOf(clients, role));
  return answers.find(({ verdict }) => verdict === 'denied') ?? answers.find(({ verdict }) => verdict === 'unproven') ?? answers[0] ?? unproven('no role');
}

function unproven(how: string, role?: string): Rights {
  return { ...(role === undefined ? {} : { role }), missing: [], verdict: 'unproven', how };
}

async function rightsOf(clients: Clients, role: string): Promise<Rights> {
  try {
    const verdicts = await simulate(clients.aws, role, { actions: OPERATOR_ACTIONS });
    const of = (wanted: string): string[] => [...verdicts].flatMap(([action, verdict]) => (verdict === wanted ? [action] : []));
    const missing = of('denied');
    const how = 'iam:SimulatePrincipalPolicy';
    if (missing.length > 0) return { role, missing, verdict: 'denied', how };
    const open = of('unproven');
    return open.length > 0 ? unproven(`IAM's simulator cannot decide ${open.join(', ')}`, role) : { role, missing: [], verdict: 'allowed', how };
  } catch (error) {
    return unproven(cannotSimulate(error), role);
  }
}

/** A role of its own wins: pod identity before IRSA, as in the SDK's chain it does not, but EKS's agent sets it for the pod. */
async function operatorRoles(clients: Clients, calls: AwsCalls, input: OperatorInput): Promise<string[]> {
  const irsa = valueAt(input.values, 'eni.iamRole') ?? operatorAnnotation(input.values);
  if (typeof irsa === 'string' && irsa !== '') return [irsa];
  const podIdentity = input.eksName === undefined ? undefined : await podIdentityRole(clients, calls, input.eksName);
  if (podIdentity !== undefined) return [podIdentity];
  const profiles = [...new Set(input.instances.flatMap(({ IamInstanceProfile }) => IamInstanceProfile?.Arn ?? []))];
  const ofProfiles = await bounded(profiles, 2, (arn) => profileRole(clients, calls, arn));
  return [...new Set([...input.nodeRoles, ...ofProfiles.flatMap((role) => role ?? [])])].sort();
}

function operatorAnnotation(values: HelmValues): unknown {
  const annotations = valueAt(values, 'serviceAccounts.operator.annotations');
  return typeof annotations === 'object' && annotations !== null && !Array.isArray(annotations) ? (annotations as Record<string, unknown>)['eks.amazonaws.com/role-arn'] : undefined;
}

async function podIdentityRole(clients: Clients, calls: AwsCalls, clusterName: string): Promise<string | undefined> {
  const list = new ListPodIdentityAssociationsCommand({ clusterName, namespace: KUBE_SYSTEM, serviceAccount: CILIUM_OPERATOR });
  const answer = await calls.use('eks:ListPodIdentityAssociations', () => tolerant(clients.aws.eks.send(list)), null);
  const associationId = answer?.associations?.[0]?.associationId;
  if (associationId === undefined) return undefined;
  const describe = new DescribePodIdentityAssociationCommand({ clusterName, associationId });
  return (await calls.use('eks:DescribePodIdentityAssociation', () => clients.aws.eks.send(describe), null))?.association?.roleArn;
}

/** Regions and partitions without pod identity answer with "no such thing". */
async function tolerant<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && /NotFound|UnknownOperation|InvalidRequest/.test(error.name)) return null;
    throw error;
  }
}

async function profileRole(clients: Clients, calls: AwsCalls, arn: string): Promise<string | undefined> {
  const command = new GetInstanceProfileCommand({ InstanceProfileName: arn.split('/').at(-1) });
  const answer = await calls.use('iam:GetInstanceProfile', () => tolerantProfile(clients.aws.iam.send(command)), null);
  return answer?.InstanceProfile?.Roles?.[0]?.Arn;
}

async function tolerantProfile<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && /^NoSuchEntity/.test(error.name)) return null;
    throw error;
  }
}
