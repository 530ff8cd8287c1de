import { readFileSync } from 'node:fs';
import { AutoScalingClient, ResumeProcessesCommand, SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import { EKSClient, UpdateAddonCommand } from '@aws-sdk/client-eks';
import { CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ClientPool } from '../../activities/clients/index.js';
import { buildPlan, observe } from '../../activities/observe/index.js';
import type { Finding } from '../../domain/findings.js';
import { findHazards } from '../../domain/hazards/index.js';
import type { Plan } from '../../domain/plan.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest, ManifestInput } from '../../domain/spec/schema.js';
import { startLab } from '../../lab/index.js';
import type { Lab } from '../../lab/index.js';
import { anyChart } from '../support/field.js';

const BRIEF = { bootDelay: 100, agentDelay: 100, podStartDelay: 50, terminationDelay: 50, instanceTerminationDelay: 200, addonDelay: 100 } as const;
const VIEWER = 'arn:aws:iam::123456789012:role/lab-viewer';
let lab: Lab;
let admin: KubeConfig;
let objects: KubernetesObjectApi;
const chart = anyChart();

beforeAll(async () => {
  lab = await startLab({ name: `preflight-${String(process.pid)}`, nodes: 3, ...BRIEF, access: { [VIEWER]: ['ciliate'] }, ownerPid: process.pid });
  Object.assign(process.env, lab.env, { PATH: `${lab.toolsDir}:${process.env['PATH'] ?? ''}` });
  admin = new KubeConfig();
  admin.loadFromFile(lab.kubeconfig);
  objects = KubernetesObjectApi.makeApiClient(admin);
});

afterAll(async () => lab?.stop());

type Cluster = ManifestInput['spec']['cluster'];
type Cilium = Partial<ManifestInput['spec']['cilium']>;
const pool = new ClientPool();
const manifestOf = (cluster: Cluster = { kubeconfig: lab.kubeconfig }, cilium: Cilium = {}): Manifest =>
  manifestSchema.parse({
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'ClusterMigration',
    metadata: { name: 'pre' },
    spec: { cluster, cilium: { version: '1.20.0', chart, ...cilium } },
  });
const planOf = (cluster?: Cluster, cilium?: Cilium): Promise<Plan> => buildPlan({ pool, chartCache: `${lab.dir}/charts` }, { manifest: manifestOf(cluster, cilium) });
/** Without helm and the chart: what most hazards need, in a fraction of the time. */
const lookAt = async (cluster?: Cluster, cilium?: Cilium): Promise<Pick<Plan, 'findings'>> => {
  const manifest = manifestOf(cluster, cilium);
  const clients = await pool.for(manifest.spec.cluster);
  const seen = await observe(clients, { values: manifest.spec.cilium.values, probes: manifest.spec.probes, helm: () => Promise.resolve({ version: 'v3.19.0' }) });
  return { findings: findHazards({ cluster: seen, manifest }) };
};
const blockers = ({ findings }: Pick<Plan, 'findings'>): string[] => findings.filter(({ severity }) => severity === 'blocker').map(({ id }) => id);
const named = ({ findings }: Pick<Plan, 'findings'>, id: string): Finding | undefined => findings.find((finding) => finding.id === id);
const create = (object: KubernetesObject & Record<string, unknown>): Promise<unknown> => objects.create(object);

describe('a clean cluster', () => {
  it('has no blocker and no warning; every node is planned once, zones in turn', async () => {
    const plan = await planOf();
    expect(plan.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect([plan.mode, plan.blocked]).toEqual(['migrate', false]);
    expect(plan.nodes.map(({ zone }) => zone)).toEqual(['eu-west-1a', 'eu-west-1b', 'eu-west-1c']);
    expect(plan.masquerade).toMatchObject({ enabled: true, interfaces: 'ens+' });
    expect(plan.chart.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives the same digest however it is reached: by kubeconfig and by EKS name', async () => {
    const [byKubeconfig, byName] = [await planOf(), await planOf({ eks: { name: lab.clusterName, region: lab.region } })];
    expect(byName.installDigest).toBe(byKubeconfig.installDigest);
    expect(blockers(byName)).toEqual([]);
  });
});

describe('what the worker may do', () => {
  const viewer = (): Cluster => ({ eks: { name: lab.clusterName, region: lab.region, roleArn: VIEWER } });

  it('is named verb by verb, and deploy/rbac.yaml is enough', async () => {
    await create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'look' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
    });
    const subjects = [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'ciliate' }];
    const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'look' }, subjects };
    await create({ ...binding, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'look' } });
    const denied = await lookAt(viewer());
    expect(blockers(denied)).toEqual(['access-denied']);
    expect(named(denied, 'access-denied')?.message).toMatch(/refuses \d+ access/);
    await objects.delete(binding);

    for (const document of parseAllDocuments(readFileSync(new URL('../../deploy/rbac.yaml', import.meta.url), 'utf8'))) {
      await create(document.toJS() as KubernetesObject & Record<string, unknown>);
    }
    expect(blockers(await lookAt(viewer()))).toEqual([]);
  });

  it('in AWS: denied actions of the worker and of the operator are named', async () => {
    await lab.faults.aws({ denied: ['autoscaling:TerminateInstance*', 'ec2:DescribeSubnets', 'ec2:CreateNetworkInterface'] });
    const plan = await lookAt();
    await lab.faults.aws({ denied: [] });
    expect(named(plan, 'aws-action-denied')?.objects.map((object) => object.split(' ')[0])).toEqual(['autoscaling:TerminateInstanceInAutoScalingGroup', 'ec2:DescribeSubnets']);
    expect(named(plan, 'operator-rights-missing')?.objects).toEqual(['ec2:CreateNetworkInterface', 'ec2:DescribeSubnets']);
  });

  it('without the simulator is said to be unproven', async () => {
    await lab.faults.aws({ denied: ['iam:SimulatePrincipalPolicy'] });
    const plan = await lookAt();
    await lab.faults.aws({ denied: [] });
    expect(named(plan, 'aws-action-unproven')?.objects).toContain('autoscaling:TerminateInstanceInAutoScalingGroup');
    expect(named(plan, 'operator-rights-unproven')?.severity).toBe('warning');
    expect(blockers(plan)).toEqual([]);
  });
});

it('a cluster that does not answer is an error, not a finding', async () => {
  await lab.faults.away('kubernetes', 60_000);
  await expect(lookAt({ kubeconfig: lab.frontKubeconfig })).rejects.toThrow();
  await lab.faults.away('kubernetes', 0);
});

it('what AWS is at is seen: instance refresh, EKS update, add-on schema, subnets, suspended processes', async () => {
  const status = await lab.status();
  const AutoScalingGroupName = status.groups[0]?.name ?? '';
  const autoScaling = new AutoScalingClient({});
  const subnets = (await subnetIds()).map((id) => [id, 3] as const);
  await lab.faults.aws({
    instanceRefreshes: [{ AutoScalingGroupName, InstanceRefreshId: 'r-1', Status: 'InProgress' }],
    addonSchemaHasAffinity: false,
    availableIpAddressCount: Object.fromEntries(subnets),
  });
  const update = await lab.faults.addEksUpdate();
  await autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ['Launch'] }));
  const plan = await lookAt();
  expect(blockers(plan).sort()).toEqual(['addon-without-affinity', 'eks-update', 'group-process-suspended', 'instance-refresh', 'subnet-addresses']);
  expect(named(plan, 'eks-update')?.objects.join()).toContain(update);

  await autoScaling.send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ['Launch'] }));
  await lab.faults.aws({ instanceRefreshes: [], addonSchemaHasAffinity: true, availableIpAddressCount: {}, eksUpdates: [{ id: update, status: 'Successful' }] });
  expect(blockers(await lookAt())).toEqual([]);
});

it('what runs in the cluster is seen: hostPort, policies, labels, security groups for pods, Cilium, budgets', async () => {
  const core = admin.makeApiClient(CoreV1Api);
  const node = (await core.listNode()).items[0]?.metadata?.name ?? '';
  const container = { name: 'c', image: 'i' };
  await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace: 'default' }, spec: { containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 8080 }] }] } });
  await create({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny', namespace: 'default' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
  await create(SECURITY_GROUP_POLICY_CRD);
  await expect.poll(() => objects.list('vpcresources.k8s.aws/v1beta1', 'SecurityGroupPolicy').then(() => true, () => false)).toBe(true);
  await create({ apiVersion: 'vpcresources.k8s.aws/v1beta1', kind: 'SecurityGroupPolicy', metadata: { name: 'db', namespace: 'default' }, spec: { podSelector: {}, securityGroups: { groupIds: ['sg-1'] } } });
  await objects.patch({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: { 'cni-plugin': 'cilium' } } });
  const template = { metadata: { labels: { 'k8s-app': 'cilium' } }, spec: { containers: [container], nodeSelector: { nowhere: 'true' } } };
  await create({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'cilium', namespace: 'kube-system' }, spec: { selector: { matchLabels: { 'k8s-app': 'cilium' } }, template } });

  const plan = await planOf(undefined, { values: { tunnel: 'disabled', affinity: {} } });
  expect(blockers(plan).sort()).toEqual(expect.arrayContaining(['foreign-cilium', 'foreign-label', 'host-port', 'security-groups-for-pods', 'values-fight']));
  expect(named(plan, 'foreign-label')?.objects).toEqual([`Node ${node} (cni-plugin=cilium)`]);
  expect(named(plan, 'host-port')?.objects).toEqual(['Pod default/bare']);
  expect(named(plan, 'bare-pods')?.objects).toContain('Pod default/bare');
  expect(named(plan, 'network-policy-latent')?.objects).toEqual(['NetworkPolicy default/deny']);
  expect(named(plan, 'network-policy-meaning')?.objects.join()).toMatch(/^default\/deny \([1-9]\d* pods?\): NO EFFECT NOW, HAS ONE LATER; .*ingress that no policy allows is dropped/);

  await new EKSClient({}).send(new UpdateAddonCommand({ clusterName: lab.clusterName, addonName: 'vpc-cni', configurationValues: '{"enableNetworkPolicy":"true"}' }));
  await expect.poll(async () => named(await lookAt(), 'network-policy-gap')?.severity, { timeout: 60_000, interval: 500 }).toBe('blocker');
  expect(named(await lookAt(), 'network-policy-meaning')?.objects.join()).toContain('keeps its effect; enforced by the VPC CNI');
  expect(named(await lookAt(undefined, { acceptPolicyGap: true }), 'network-policy-gap')?.severity).toBe('warning');

  await objects.patch({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: { 'cni-plugin': null } } } as unknown as KubernetesObject);
  for (const [apiVersion, kind, name, namespace] of [
    ['v1', 'Pod', 'bare', 'default'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'deny', 'default'],
    ['vpcresources.k8s.aws/v1beta1', 'SecurityGroupPolicy', 'db', 'default'],
    ['apps/v1', 'DaemonSet', 'cilium', 'kube-system'],
  ] as const) {
    await objects.delete({ apiVersion, kind, metadata: { name, namespace } });
  }
  await expect.poll(async () => blockers(await lookAt()), { timeout: 60_000, interval: 500 }).toEqual([]);
});

/** EKS installs it on every cluster; the lab does not. */
const SECURITY_GROUP_POLICY_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'securitygrouppolicies.vpcresources.k8s.aws' },
  spec: {
    group: 'vpcresources.k8s.aws',
    scope: 'Namespaced',
    names: { plural: 'securitygrouppolicies', singular: 'securitygrouppolicy', kind: 'SecurityGroupPolicy', listKind: 'SecurityGroupPolicyList' },
    versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
  },
};

async function subnetIds(): Promise<string[]> {
  const { DescribeSubnetsCommand, EC2Client } = await import('@aws-sdk/client-ec2');
  return ((await new EC2Client({}).send(new DescribeSubnetsCommand({}))).Subnets ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
}
