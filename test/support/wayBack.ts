import { EKSClient, DescribeAddonCommand } from '@aws-sdk/client-eks';
import { AppsV1Api, CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { expect } from 'vitest';
import type { MigrationReport } from '../../domain/status.js';
import { parse } from 'yaml';
import { clusterState, settledState } from './clusterState.js';
import type { ClusterState } from './clusterState.js';
import type { Field } from './field.js';

/** What must be after a rollback as it was before the migration. */
export interface Before {
  aws: AwsNodeState;
  state: ClusterState;
}

interface AwsNodeState {
  affinity: unknown;
  environment: unknown;
  strategy: unknown;
  image: string | undefined;
  addon: { version: string | undefined; role: string | undefined; configuration: unknown; pods: number } | null;
}

export async function before(field: Field): Promise<Before> {
  return { aws: await awsNodeState(field), state: await settledState(field) };
}

async function awsNodeState(field: Field): Promise<AwsNodeState> {
  const daemonSet = await field.kube.makeApiClient(AppsV1Api).readNamespacedDaemonSet({ namespace: 'kube-system', name: 'aws-node' });
  const spec = daemonSet.spec?.template.spec;
  const described = await field.aws(EKSClient).send(new DescribeAddonCommand({ clusterName: field.lab.clusterName, addonName: 'vpc-cni' })).catch(() => undefined);
  const addon = described?.addon;
  return {
    affinity: plain(spec?.affinity),
    environment: plain([...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name, env }) => ({ name, env }))),
    strategy: plain(daemonSet.spec?.updateStrategy),
    image: spec?.containers[0]?.image,
    addon: addon === undefined ? null : { version: addon.addonVersion, role: addon.serviceAccountRoleArn, configuration: parse(addon.configurationValues ?? '') ?? {}, pods: addon.podIdentityAssociations?.length ?? 0 },
  };
}

/** As JSON: without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

/** Every node on aws-node, no Cilium, everything borrowed given back, aws-node as saved: read from the cluster, not from the report. */
export async function expectReturned(field: Field, report: MigrationReport, { aws, state }: Before): Promise<void> {
  expect(report).toMatchObject({ state: 'done', problem: null, toward: 'aws-node' });
  await expect.poll(async () => (await clusterState(field)).taints, { timeout: 60_000, interval: 500 }).toEqual([]);
  await expect.poll(async () => (await clusterState(field)).workloads, { timeout: 60_000, interval: 500 }).toEqual(state.workloads);
  // Nodes per zone, sizes, suspended processes, cordons, leftovers, add-ons, Helm (none), Lease, guards, orphans, violations.
  expect(await clusterState(field)).toEqual(state);
  expect(await awsNodeState(field)).toEqual(aws);
  const core = field.kube.makeApiClient(CoreV1Api);
  const [nodes, pods, maps] = await Promise.all([core.listNode(), core.listNamespacedPod({ namespace: 'kube-system' }), core.listNamespacedConfigMap({ namespace: 'kube-system' })]);
  expect(nodes.items.flatMap((node) => Object.keys(node.metadata?.labels ?? {}).filter((key) => /^(cni-plugin|ciliate\.io\/.*)$/.test(key)))).toEqual([]);
  expect(pods.items.filter((pod) => /^cilium/.test(pod.metadata?.name ?? '')).map((pod) => pod.metadata?.name)).toEqual([]);
  const agents = pods.items.filter((pod) => pod.metadata?.labels?.['k8s-app'] === 'aws-node' && pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
  expect(agents.map((pod) => pod.spec?.nodeName).sort()).toEqual(nodes.items.map((node) => node.metadata?.name).sort());
  expect(maps.items.map((map) => map.metadata?.name).filter((name) => name?.startsWith('ciliate-') === true && !name.startsWith('ciliate-nodes'))).toEqual([]);
}

/** Leaves a migration after its first node, aborted: half way. */
export async function halfWay(field: Field, name: string): Promise<void> {
  const file = field.spec(name, { approvals: ['after-canary'] });
  await started(field, file);
  await field.statusWhere(name, (status) => status.gate?.gate === 'after-canary');
  await aborted(field, name);
  await settleOne(field);
}

/** Wherever the scheduler had put them: a pod that has to move on the way back is on the node of Cilium. */
async function settleOne(field: Field): Promise<void> {
  const core = field.kube.makeApiClient(CoreV1Api);
  const { items } = await core.listNode();
  const old = items.filter(({ metadata }) => metadata?.labels?.['cni-plugin'] === 'aws').map(({ metadata }) => metadata?.name ?? '');
  const cordon = (unschedulable: boolean | null): Promise<unknown> =>
    Promise.all(old.map((name) => core.patchNode({ name, body: { spec: { unschedulable } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))));
  const movable = async () => (await core.listNamespacedPod({ namespace: 'shop' })).items.filter(({ metadata }) => metadata?.ownerReferences?.[0]?.kind === 'ReplicaSet');
  await cordon(true);
  try {
    await core.deleteNamespacedPod({ namespace: 'shop', name: (await movable())[0]?.metadata?.name ?? '' });
    await expect.poll(async () => (await movable()).some(({ spec, status }) => spec?.nodeName !== undefined && !old.includes(spec.nodeName) && status?.phase === 'Running'), { timeout: 60_000 }).toBe(true);
  } finally {
    await cordon(null);
  }
}

/** Leaves a migration when Cilium is installed and no node runs it. */
export async function untouched(field: Field, name: string): Promise<void> {
  await started(field, field.spec(name));
  await field.statusWhere(name, (status) => status.phase === 'install');
  await field.ciliate('pause', name, '--reason', 'test');
  await field.statusWhere(name, (status) => status.state === 'paused' && status.phase === 'refresh');
  await aborted(field, name);
}

async function started(field: Field, file: string): Promise<void> {
  if (field.workerPid === 0) field.startWorker();
  const { code, err } = await field.ciliate('start', '-f', file);
  if (code !== 0) throw new Error(err);
}

async function aborted(field: Field, name: string): Promise<void> {
  await field.ciliate('abort', name, '--reason', 'test');
  expect(await field.report(name)).toMatchObject({ state: 'aborted' });
}

