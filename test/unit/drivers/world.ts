import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { ApiException } from '@kubernetes/client-node';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { Clients } from '../../../activities/clients/index.js';
import type { NodeClaim } from '../../../activities/kubernetes/karpenter.js';

/** As little of a cluster and an account as drivers look at. */
export interface World {
  groups: AutoScalingGroup[];
  activities: { Description: string; StatusCode: string; StatusMessage?: string }[];
  /** By instance id; `ended` is EC2's reason of the state. */
  instances: Record<string, { state: string; launched?: Date; ended?: string; group?: string }>;
  claims: NodeClaim[];
  pods: V1Pod[];
  nodes: V1Node[];
  /** The part of the guards ledger about the cluster and its groups. */
  guards: Record<string, string> | undefined;
  /** Its parts about nodes, by name of their ConfigMap. */
  parts: Record<string, Record<string, string>>;
  /** What was asked for, in order. */
  calls: string[];
  /** What others do right after a call of ours. */
  meanwhile?: (call: string, seen: World) => void;
}

export function world(over: Partial<World> = {}): World {
  return { groups: [], activities: [], instances: {}, claims: [], pods: [], nodes: [], guards: undefined, parts: {}, calls: [], ...over };
}

/** Clients that answer from it. What is not there fails the test. */
export function clientsOf(seen: World): Clients {
  const send = { send: async (command: Command) => Promise.resolve(autoScaling(seen, command)) };
  const aws = { autoScaling: send, autoScalingOnce: send, eks: { send: (command: Command) => Promise.resolve(eks(seen, command)) }, ec2: { send: (command: Command) => Promise.resolve(ec2(seen, command)) } };
  const kube = {
    core: {
      readNamespacedConfigMap: ({ name }: { name: string }) => {
        const data = name === LEDGER ? seen.guards : seen.parts[name];
        return data === undefined ? Promise.reject(new ApiException(404, 'not found', {}, {})) : Promise.resolve({ metadata: { name, uid: 'u', resourceVersion: '1' }, data });
      },
      listNamespacedConfigMap: () => Promise.resolve({ items: Object.entries(seen.parts).map(([name, data]) => ({ metadata: { name }, data })) }),
      createNamespacedConfigMap: ({ body }: Write) => Promise.resolve(put(seen, body)),
      replaceNamespacedConfigMap: ({ body }: Write) => Promise.resolve(put(seen, body)),
      readNode: ({ name }: { name: string }) => {
        const found = seen.nodes.find(({ metadata }) => metadata?.name === name);
        return found === undefined ? Promise.reject(new ApiException(404, 'not found', {}, {})) : Promise.resolve(found);
      },
      deleteNamespacedConfigMap: ({ name }: { name: string }) => {
        if (name === LEDGER) seen.guards = undefined;
        else seen.parts = Object.fromEntries(Object.entries(seen.parts).filter(([part]) => part !== name));
        return Promise.resolve({});
      },
      listNode: () => Promise.resolve({ items: seen.nodes }),
      listPodForAllNamespaces: () => Promise.resolve({ items: seen.pods }),
    },
    apps: { readNamespacedDaemonSet: () => Promise.reject(new ApiException(404, 'not found', {}, {})) },
    custom: {
      listClusterCustomObject: ({ labelSelector }: { labelSelector?: string }) =>
        Promise.resolve({ items: seen.claims.filter(({ metadata }) => labelSelector === undefined || labelSelector === `karpenter.sh/nodepool=${metadata.labels?.['karpenter.sh/nodepool']}`) }),
      deleteClusterCustomObject: ({ name, body }: { name: string; body: { preconditions: { uid: string } } }) => Promise.resolve(void seen.calls.push(`delete ${name} ${body.preconditions.uid}`)),
    },
  };
  const events = { snapshot: () => Promise.resolve({ nodes: seen.nodes, pods: seen.pods, budgets: [] }) };
  return { aws, kube, events, region: 'eu-west-1', memberships: new Map() } as unknown as Clients;
}

const LEDGER = 'ciliate-guards';

interface Write {
  body: { metadata: { name: string }; data: Record<string, string> };
}

function put(seen: World, { metadata: { name }, data }: Write['body']): void {
  if (name === LEDGER) seen.guards = data;
  else seen.parts[name] = data;
}

interface Command {
  constructor: { name: string };
  input: { scalingConfig?: object; MaxSize?: number; ScalingProcesses?: string[]; InstanceIds?: string[]; AutoScalingGroupNames?: string[]; InstanceId?: string; DesiredCapacity?: number; ShouldDecrementDesiredCapacity?: boolean; AutoScalingGroupName?: string; ProtectedFromScaleIn?: boolean; NewInstancesProtectedFromScaleIn?: boolean; Filters?: { Values: string[] }[] };
}

function autoScaling(seen: World, { constructor, input }: Command): unknown {
  switch (constructor.name) {
    case 'DescribeAutoScalingGroupsCommand':
      return { AutoScalingGroups: seen.groups.filter((group) => input.AutoScalingGroupNames?.includes(group.AutoScalingGroupName ?? '')) };
    case 'DescribeAutoScalingInstancesCommand':
      return { AutoScalingInstances: seen.groups.flatMap(({ AutoScalingGroupName, Instances = [] }) => Instances.filter(({ InstanceId }) => input.InstanceIds?.includes(InstanceId ?? '')).map((instance) => ({ ...instance, AutoScalingGroupName }))) };
    case 'DescribeScalingActivitiesCommand':
      return { Activities: seen.activities };
    case 'SetDesiredCapacityCommand':
      seen.calls.push(`desired ${input.DesiredCapacity}`);
      return change(seen, input, { DesiredCapacity: input.DesiredCapacity });
    case 'SuspendProcessesCommand':
      seen.calls.push(`suspend ${input.ScalingProcesses?.join(' ')}`);
      return change(seen, input, { SuspendedProcesses: input.ScalingProcesses?.map((ProcessName) => ({ ProcessName })) });
    case 'ResumeProcessesCommand':
      seen.calls.push(`resume ${input.ScalingProcesses?.join(' ')}`);
      return change(seen, input, { SuspendedProcesses: [] });
    case 'TerminateInstanceInAutoScalingGroupCommand':
      seen.calls.push(`terminate ${input.InstanceId} ${input.ShouldDecrementDesiredCapacity}`);
      return {};
    case 'SetInstanceProtectionCommand':
      seen.calls.push(`protect ${input.InstanceIds?.join(' ')} ${input.ProtectedFromScaleIn}`);
      return {};
    case 'UpdateAutoScalingGroupCommand':
      if (input.MaxSize !== undefined) {
        seen.calls.push(`max ${input.MaxSize}`);
        return change(seen, input, { MaxSize: input.MaxSize });
      }
      seen.calls.push(`protect new of ${input.AutoScalingGroupName} ${input.NewInstancesProtectedFromScaleIn}`);
      return change(seen, input, { NewInstancesProtectedFromScaleIn: input.NewInstancesProtectedFromScaleIn });
    default:
      throw new Error(constructor.name);
  }
}

/** Groups are replaced, so that what was read before stays as it was read. */
function change(seen: World, { AutoScalingGroupName }: Command['input'], to: Partial<AutoScalingGroup>): object {
  seen.groups = seen.groups.map((each) => (each.AutoScalingGroupName === AutoScalingGroupName ? { ...each, ...to } : each));
  seen.meanwhile?.(seen.calls.at(-1) ?? '', seen);
  return {};
}

/** EKS changes the group behind later, so nothing is to be seen of it. */
function eks(seen: World, { constructor, input }: Command): unknown {
  if (constructor.name !== 'UpdateNodegroupConfigCommand') throw new Error(constructor.name);
  seen.calls.push(`node group ${JSON.stringify(input.scalingConfig)}`);
  return {};
}

function ec2(seen: World, { input }: Command): unknown {
  const ids = input.InstanceIds ?? input.Filters?.[0]?.Values ?? [];
  const Instances = ids.flatMap((id) => {
    const found = seen.instances[id];
    if (found === undefined) return [];
    return [{ InstanceId: id, State: { Name: found.state }, StateTransitionReason: found.ended, LaunchTime: found.launched, Placement: { AvailabilityZone: 'eu-west-1a' }, Tags: found.group === undefined ? [] : [{ Key: 'aws:autoscaling:groupName', Value: found.group }] }];
  });
  return { Reservations: [{ Instances }] };
}

const inService = (id: string): NonNullable<AutoScalingGroup['Instances']>[number] => ({ InstanceId: id, AvailabilityZone: 'eu-west-1a', LifecycleState: 'InService', HealthStatus: 'Healthy', LaunchConfigurationName: undefined, ProtectedFromScaleIn: false });

export const group = (name: string, ids: string[], over: Partial<AutoScalingGroup> = {}): AutoScalingGroup =>
  ({ AutoScalingGroupName: name, DesiredCapacity: ids.length, Instances: ids.map(inService), Tags: [], ...over }) as AutoScalingGroup;

/** The group with one of its instances in another lifecycle state. */
export const withLifecycle = (of: AutoScalingGroup, id: string, LifecycleState: NonNullable<AutoScalingGroup['Instances']>[number]['LifecycleState']): AutoScalingGroup => ({
  ...of,
  Instances: (of.Instances ?? []).map((instance) => (instance.InstanceId === id ? { ...instance, LifecycleState } : instance)),
});

export const kubeNode = (id: string, over: { ready?: boolean; labels?: Record<string, string> } = {}): V1Node => ({
  metadata: { name: `node-${id}`, uid: `uid-${id}`, labels: over.labels ?? {} },
  spec: { providerID: `aws:///eu-west-1a/${id}` },
  status: { conditions: [{ type: 'Ready', status: over.ready === false ? 'False' : 'True' }] },
});

export const claim = (id: string | undefined, over: { pool?: string; created?: string; deleting?: boolean } = {}): NodeClaim => ({
  metadata: {
    name: `claim-${id ?? 'new'}`,
    uid: `claim-uid-${id ?? 'new'}`,
    labels: { 'karpenter.sh/nodepool': over.pool ?? 'default' },
    creationTimestamp: over.created ?? '2026-11-01T00:00:00Z',
    ...(over.deleting === true ? { deletionTimestamp: '2026-11-23T00:00:00Z' } : {}),
  },
  status: id === undefined ? {} : { providerID: `aws:///eu-west-1a/${id}` },
});
