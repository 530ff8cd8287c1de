import { DescribeAutoScalingGroupsCommand, AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EKSClient, ListAddonsCommand } from '@aws-sdk/client-eks';
import { CoreV1Api, AppsV1Api, CoordinationV1Api } from '@kubernetes/client-node';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { Lab } from '../../lab/index.js';
import { labAws, labKube } from './field.js';

/** What a killed run and one that was not must have in common. */
export interface ClusterState {
  /** `zone: nodes`, of Ready and schedulable nodes. */
  nodesPerZone: Record<string, number>;
  groups: { name: string; min: number; max: number; desired: number; inService: number; suspended: string[]; protected: number }[];
  labelled: number;
  cordoned: number;
  taints: string[];
  /** Annotations and labels of nodes that somebody put there for a while. */
  leftovers: string[];
  agents: { awsNode: boolean; cilium: string };
  helm: { revision: number; status: string; values: unknown };
  addons: string[];
  lease: string | null;
  guardsLedger: boolean;
  /** Instances that run without a Node, or outside their group (Karpenter's have none). */
  orphans: string[];
  violations: string[];
  killedPods: number;
  workloads: Record<string, string>;
}

const BORROWED = /scale-down-disabled|exclude-from-external-load-balancers/;

/** Reads it all from the cluster and AWS, not from the migrator's word. */
export async function clusterState({ lab }: { lab: Lab }): Promise<ClusterState> {
  const config = labKube(lab);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const [nodes, configMaps, lease, daemonSets, deployments, status] = await Promise.all([
    core.listNode(),
    core.listNamespacedConfigMap({ namespace: 'kube-system' }),
    config.makeApiClient(CoordinationV1Api).readNamespacedLease({ namespace: 'kube-system', name: 'ciliate' }).catch(() => undefined),
    apps.listNamespacedDaemonSet({ namespace: 'kube-system' }),
    apps.listDeploymentForAllNamespaces(),
    lab.status(),
  ]);
  const groups = await labAws(lab, AutoScalingClient).send(new DescribeAutoScalingGroupsCommand({}));
  const addons = await labAws(lab, EKSClient).send(new ListAddonsCommand({ clusterName: lab.clusterName })).catch(() => ({ addons: [] }));
  const providerIds = nodes.items.map((node) => node.spec?.providerID ?? '');
  const inGroups = new Set((groups.AutoScalingGroups ?? []).flatMap((group) => (group.Instances ?? []).map((instance) => instance.InstanceId)));
  const karpenters = new Set(nodes.items.filter((node) => node.metadata?.labels?.['karpenter.sh/nodepool'] !== undefined).map((node) => (node.spec?.providerID ?? '').split('/').at(-1)));
  const living = status.instances.filter((instance) => instance.state === 'running' || instance.state === 'pending');
  return {
    nodesPerZone: count(nodes.items.filter((node) => !node.spec?.unschedulable).map((node) => node.metadata?.labels?.['topology.kubernetes.io/zone'] ?? '')),
    groups: (groups.AutoScalingGroups ?? []).map((group) => ({
      // EKS puts a random id behind the name of a managed node group.
      name: (group.AutoScalingGroupName ?? '').replace(/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, ''),
      min: group.MinSize ?? 0,
      max: group.MaxSize ?? 0,
      desired: group.DesiredCapacity ?? 0,
      inService: (group.Instances ?? []).filter((instance) => instance.LifecycleState === 'InService').length,
      protected: Number(group.NewInstancesProtectedFromScaleIn === true) + (group.Instances ?? []).filter((instance) => instance.ProtectedFromScaleIn === true).length,
      suspended: (group.SuspendedProcesses ?? []).map((process) => process.ProcessName ?? '').sort(),
    })),
    labelled: nodes.items.filter((node) => node.metadata?.labels?.['cni-plugin'] !== undefined).length,
    cordoned: nodes.items.filter((node) => node.spec?.unschedulable).length,
    taints: nodes.items.flatMap((node) => (node.spec?.taints ?? []).map((taint) => taint.key)).sort(),
    leftovers: nodes.items.flatMap((node) => [...Object.keys(node.metadata?.annotations ?? {}), ...Object.keys(node.metadata?.labels ?? {})].filter((key) => BORROWED.test(key))),
    agents: {
      awsNode: daemonSets.items.some((set) => set.metadata?.name === 'aws-node'),
      cilium: daemonSets.items.filter((set) => set.metadata?.name === 'cilium').map((set) => `${set.status?.numberReady}/${set.status?.desiredNumberScheduled}`).join(''),
    },
    helm: await helmState(lab),
    addons: (addons.addons ?? []).sort(),
    lease: lease?.spec?.holderIdentity ?? null,
    guardsLedger: configMaps.items.some((map) => map.metadata?.name?.startsWith('ciliate-guards') === true),
    orphans: living.filter((instance) => !(inGroups.has(instance.id) || karpenters.has(instance.id)) || !providerIds.some((id) => id.endsWith(instance.id))).map((instance) => instance.id),
    violations: status.violations.map((violation) => JSON.stringify(violation)),
    killedPods: status.killedPods.length,
    workloads: Object.fromEntries(deployments.items.map((deployment) => [deployment.metadata?.name ?? '', `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas}`])),
  };
}

/**
 * A lab's state to compare with later. A lab is up when its nodes are Ready and its pods run: the node controller's taints and the
 * Deployments' counts follow, and are waited for here.
 */
export async function settledState(field: { lab: Lab }): Promise<ClusterState> {
  await expect.poll(async () => unsettled(await clusterState(field)), { timeout: 60_000, interval: 500 }).toEqual([]);
  return clusterState(field);
}

function unsettled({ taints, workloads }: ClusterState): string[] {
  return [...taints, ...Object.entries(workloads).flatMap(([name, ready]) => (new Set(ready.split('/')).size === 1 ? [] : [`${name} ${ready}`]))];
}

async function helmState(lab: Lab): Promise<ClusterState['helm']> {
  const helm = (...args: string[]) => execa('helm', [...args, 'cilium', '-n', 'kube-system', '-o', 'json'], { env: lab.env, reject: false });
  const status = await helm('status');
  if (status.exitCode !== 0) {
    // Only this one word means that there is none; anything else is an error of the test.
    if (/not found/.test(status.stderr)) return { revision: 0, status: 'none', values: null };
    throw new Error(status.stderr);
  }
  const { version, info } = JSON.parse(status.stdout) as { version: number; info: { status: string } };
  return { revision: version, status: info.status, values: JSON.parse((await helm('get', 'values')).stdout) };
}

function count(keys: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys.sort()) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}
