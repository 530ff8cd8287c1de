import { KUBE_SYSTEM } from '../../domain/names.js';
import type { ObservedCluster } from '../../domain/observation.js';
import { networkPolicyMeanings } from '../../domain/policy/networkPolicies.js';
import type { ProbesSpec } from '../../domain/spec/probes.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import type { Strategy } from '../../domain/spec/words.js';
import type { Clients } from '../clients/index.js';
import { tryProbes } from '../probes/index.js';
import { deniedAccess } from './access.js';
import { awsActions, callerIdentity } from './awsAccess.js';
import type { Resources } from './awsAccess.js';
import { AwsCalls } from './awsCalls.js';
import { observeAwsNode } from './awsNode.js';
import { observeCilium } from './cilium.js';
import { observeEks } from './eks.js';
import { observeGroups } from './groups.js';
import { observeNodePools } from './karpenter.js';
import { observeLease, observeNeighbours } from './neighbours.js';
import { leftoverEnis, observeInstances, observeInstanceTypes, observeSubnets } from './network.js';
import { observeNodes } from './nodes.js';
import { observeOperatorRights } from './operatorRights.js';
import { KUBERNETES_ACCESS, probeAccess, restartAccess } from './permissions.js';
import type { AwsAction } from './permissions.js';
import { livePods, podHazards } from './pods.js';
import { observePolicies, observeWebhooks } from './policies.js';
import { workerInside } from './workerInside.js';
import { budgetOverlaps, listBudgets, observedBudget, observeSingletons } from './workloads.js';

export interface ObserveInput {
  /** The values of the spec: they say which role the operator gets. */
  values: HelmValues;
  probes: ProbesSpec;
  /** Absent: `replace`. */
  strategy?: Strategy;
  /** `<Temporal cluster id>/<namespace>/<workflow id>`; absent in a dry run without Temporal. */
  holder?: string;
  /** AWS actions that will be used beside those of every run. */
  alsoUses?: readonly AwsAction[];
  /** The helm that the worker would run. */
  helm: () => Promise<{ version: string } | null>;
}

/**
 * One look at a cluster and its AWS account; reads only. What is denied is recorded as such; an API server or an AWS that does not
 * answer is an error (Transient), not a finding.
 */
export async function observe(clients: Clients, input: ObserveInput): Promise<ObservedCluster> {
  const { kube, aws } = clients;
  const calls = new AwsCalls();
  // First of all, alone: where the cluster or the account is out of reach, one clear error says so.
  const [version, system] = await Promise.all([kube.version.getCode(), kube.core.readNamespace({ name: KUBE_SYSTEM })]);
  const uid = system.metadata?.uid ?? '';
  const caller = await callerIdentity(aws);

  const [denied, probes, cluster, cloud, helm] = await Promise.all([
    deniedAccess(kube, [...KUBERNETES_ACCESS, ...probeAccess(input.probes), ...restartAccess(input.strategy ?? 'replace')]),
    tryProbes(clients, input.probes),
    observeKubernetes(clients, input),
    observeEks(clients, calls),
    input.helm(),
  ]);
  const [{ awsNode, addonArn }, machines] = await Promise.all([observeAwsNode(clients, calls, cloud.eks?.name), observeMachines(clients, calls, cluster.nodes)]);
  const vpcs = [...new Set([cloud.eks?.vpcId, ...machines.instances.map(({ VpcId }) => VpcId)].flatMap((vpc) => vpc ?? []))];
  const [operatorRights, enis, inside] = await Promise.all([
    observeOperatorRights(clients, calls, { values: input.values, eksName: cloud.eks?.name, nodeRoles: cloud.nodeRoles, instances: machines.instances }),
    leftoverEnis(aws, calls, vpcs),
    workerInside(uid, cluster.livePods),
  ]);
  const resources: Resources = {
    groups: [...machines.groupArns.values()],
    ...(cloud.arn === undefined ? {} : { cluster: [cloud.arn] }),
    ...(addonArn === undefined ? {} : { addon: [addonArn] }),
    ...(awsNode?.addon?.serviceAccountRoleArn === undefined ? {} : { role: [awsNode.addon.serviceAccountRoleArn] }),
  };
  const actions = await awsActions(aws, calls, { caller, resources, alsoUses: input.alsoUses ?? [] });

  const { livePods: seen, policies, ...kubernetes } = cluster;
  const nodes = kubernetes.nodes.map((node) => ({ ...machines.of(node.instanceId), ...node }));
  return {
    observedAt: new Date().toISOString(),
    kubernetes: { version: version.gitVersion, uid, endpoint: kube.server },
    deniedAccess: denied,
    probes,
    aws: { ...caller, region: clients.region, actions },
    eks: cloud.eks,
    ...kubernetes,
    nodes,
    groups: machines.groups,
    awsNode,
    networkPolicies: policies.map(({ namespace, name }) => ({ namespace, name })),
    policyMeanings: networkPolicyMeanings({ policies, pods: seen.filter(({ hostNetwork }) => !hostNetwork), enforcedBefore: awsNode?.enforcesNetworkPolicy ?? null, enforcement: kubernetes.cilium?.config?.policyMode ?? null }),
    pods: podHazards(seen, new Set(nodes.flatMap(({ name, leftOut }) => (leftOut === undefined ? [] : [name])))),
    subnets: machines.subnets,
    instanceTypes: machines.instanceTypes,
    leftoverEnis: enis,
    workerInside: inside,
    operatorRights,
    helm,
  };
}

/** What the API server alone tells. */
async function observeKubernetes(clients: Clients, input: ObserveInput) {
  const { kube } = clients;
  const [pods, budgets, nodePools] = await Promise.all([livePods(kube), listBudgets(kube), observeNodePools(kube)]);
  const [nodes, cilium, policies, singletons, webhooks, neighbours, lease] = await Promise.all([
    observeNodes(clients, pods),
    observeCilium(kube),
    observePolicies(kube),
    observeSingletons(kube, budgets),
    observeWebhooks(kube, pods),
    observeNeighbours(kube),
    observeLease(kube, input.holder),
  ]);
  const drains = { pdbs: budgets.map(observedBudget), budgetOverlaps: budgetOverlaps(pods, budgets), singletons };
  return { livePods: pods, nodes, nodePools, cilium, ...policies, ...drains, failClosedWebhooks: webhooks, ...neighbours, lease };
}

/** What EC2 and Auto Scaling know of the nodes' instances. */
async function observeMachines({ aws }: Clients, calls: AwsCalls, nodes: ObservedCluster['nodes']) {
  const ids = [...new Set(nodes.flatMap(({ instanceId }) => instanceId ?? []))].sort();
  const types = [...new Set(nodes.flatMap(({ instanceType }) => instanceType ?? []))].sort();
  const [{ groups, groupOf, arns }, instances, instanceTypes] = await Promise.all([
    observeGroups(aws, calls, ids),
    observeInstances(aws, calls, ids),
    observeInstanceTypes(aws, calls, types),
  ]);
  const subnets = await observeSubnets(aws, calls, [
    ...new Set([...groups.flatMap((group) => group.subnets), ...instances.flatMap(({ SubnetId }) => SubnetId ?? [])]),
  ]);
  const known = new Map(instances.map((instance) => [instance.InstanceId, instance]));
  const answers = calls.verdict('ec2:DescribeInstances')?.verdict === 'allowed';
  const of = (id: string | undefined): Pick<ObservedCluster['nodes'][number], 'group' | 'instanceState'> => {
    if (id === undefined) return {};
    const instance = known.get(id);
    // An instance on its way out has left its group already; its tag still names it.
    const group = groupOf.get(id) ?? instance?.Tags?.find(({ Key }) => Key === 'aws:autoscaling:groupName')?.Value;
    return { ...(group === undefined ? {} : { group }), instanceState: instance?.State?.Name ?? (answers ? 'unknown' : undefined) };
  };
  return { groups, groupArns: arns, instances, instanceTypes, subnets, of };
}
