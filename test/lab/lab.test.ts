import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AutoScalingClient, DescribeAutoScalingGroupsCommand, SetDesiredCapacityCommand, TerminateInstanceInAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { DescribeAddonCommand, DescribeAddonConfigurationCommand, DescribeClusterCommand, DescribeUpdateCommand, EKSClient, UpdateAddonCommand } from '@aws-sdk/client-eks';
import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { AppsV1Api, CoreV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import type { V1Node } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openLab, standInChart, startLab, stopLab } from '../../lab/index.js';
import type { Lab } from '../../lab/index.js';

const name = `labtest-${String(process.pid)}`;
let lab: Lab;

beforeAll(async () => {
  lab = await startLab({
    name,
    nodes: 6,
    groups: 2,
    bootDelay: 100,
    agentDelay: 100,
    podStartDelay: 50,
    terminationDelay: 50,
    instanceTerminationDelay: 200,
    addonDelay: 100,
    access: { 'arn:aws:iam::123456789012:role/lab-viewer': ['viewers'] },
    ownerPid: process.pid,
  });
});

afterAll(async () => {
  await stopLab(name);
});

describe('a lab that is up', () => {
  it('has its nodes Ready, evenly over three zones, each with an instance behind it', async () => {
    const nodes = await listNodes();
    expect(nodes).toHaveLength(6);
    expect(nodes.every(isReady)).toBe(true);
    expect(zoneCounts(nodes)).toEqual({ 'eu-west-1a': 2, 'eu-west-1b': 2, 'eu-west-1c': 2 });
    const { instances } = await lab.status();
    expect(new Set(nodes.map((node) => node.spec?.providerID))).toEqual(new Set(instances.map((item) => `aws:///${item.zone}/${item.id}`)));
  });

  it('refuses a second lab of its name, in words', async () => {
    await expect(startLab({ name })).rejects.toThrow(/runs already/);
    expect(openLab(name).awsEndpoint).toBe(lab.awsEndpoint);
  });

  it('refuses what Auto Scaling refuses', async () => {
    const group = (await lab.status()).groups[0];
    const set = new SetDesiredCapacityCommand({ AutoScalingGroupName: group?.name, DesiredCapacity: (group?.max ?? 0) + 1 });
    await expect(aws(AutoScalingClient).send(set)).rejects.toThrow(/above max value/);
  });

  it('answers dry runs and policy simulations, and denies on demand', async () => {
    const dry = new TerminateInstancesCommand({ InstanceIds: ['i-1'], DryRun: true });
    await expect(aws(EC2Client).send(dry)).rejects.toMatchObject({ name: 'DryRunOperation' });
    await lab.faults.aws({ denied: ['ec2:Terminate*'] });
    await expect(aws(EC2Client).send(dry)).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
    const simulated = await aws(IAMClient).send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: 'arn:aws:iam::123456789012:role/lab-admin', ActionNames: ['ec2:TerminateInstances', 'eks:UpdateAddon'] }));
    expect(simulated.EvaluationResults?.map((item) => item.EvalDecision)).toEqual(['implicitDeny', 'allowed']);
    await lab.faults.aws({ denied: [] });
  });

  it('lets EKS tokens in as the role that signed them', async () => {
    const cluster = (await aws(EKSClient).send(new DescribeClusterCommand({ name: lab.clusterName }))).cluster;
    const ca = cluster?.certificateAuthority?.data ?? '';
    const read = async (token: string): Promise<number> => {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: 'eks', server: cluster?.endpoint ?? '', caData: ca, skipTLSVerify: false }, { name: 'eks', token });
      return (await config.makeApiClient(CoreV1Api).listNode()).items.length;
    };
    expect(await read(await eksToken('lab-admin'))).toBe(6);
    await expect(read(await eksToken('lab-viewer'))).rejects.toMatchObject({ code: 403 });
    await expect(read('k8s-aws-v1.bm90IGEgdXJs')).rejects.toMatchObject({ code: 401 });
  });
});

describe('fault injection', () => {
  it('holds a request at the front until it is released, and tells when it does', async () => {
    const rule = await lab.faults.add({ target: 'kubernetes', method: 'PATCH', path: '/nodes/', hold: true, count: 1 });
    const [node] = await listNodes();
    let done = false;
    const patched = frontCore()
      .patchNode({ name: node?.metadata?.name ?? '', body: [{ op: 'add', path: '/metadata/annotations/held', value: 'yes' }] })
      .then(() => (done = true));
    const event = await lab.faults.waitFor(rule, { acted: true, timeout: 60_000 });
    expect(event).toMatchObject({ method: 'PATCH', phase: 'before', match: 1 });
    await sleep(100);
    expect(done).toBe(false);
    expect(await lab.faults.release(rule)).toBe(1);
    await patched;
    expect((await core().readNode({ name: node?.metadata?.name ?? '' })).metadata?.annotations?.['held']).toBe('yes');
  });

  it('answers the n-th request with an error, before or after the effect', async () => {
    const rule = await lab.faults.add({ target: 'kubernetes', method: 'POST', path: '/namespaces/default/configmaps', nth: 2, count: 1, phase: 'after', status: 500 });
    const create = (id: string): Promise<unknown> => frontCore().createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: `fault-${id}` } } });
    await create('1');
    await expect(create('2')).rejects.toMatchObject({ code: 500 });
    const made = await core().readNamespacedConfigMap({ namespace: 'default', name: 'fault-2' });
    expect(made.metadata?.name).toBe('fault-2');
    await lab.faults.remove(rule);
  });

  it('throttles AWS by action, and takes it away', async () => {
    const rule = await lab.faults.add({ target: 'aws', action: 'DescribeAutoScalingGroups', throttle: true });
    const ask = (): Promise<unknown> => aws(AutoScalingClient).send(new DescribeAutoScalingGroupsCommand({}));
    await expect(ask()).rejects.toMatchObject({ name: 'Throttling' });
    await lab.faults.remove(rule);
    await lab.faults.away('aws', 60_000);
    await expect(ask()).rejects.toThrow(/socket|ECONNRESET|hang up/);
    await lab.faults.clear();
    await ask();
    expect((await lab.faults.counts())['aws autoscaling DescribeAutoScalingGroups']).toBeGreaterThan(1);
  });

  it('survives a restart of kube-apiserver', async () => {
    await lab.faults.restartApiServer(200);
    const config = await core().createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'after-restart' } } });
    expect(config.metadata?.uid).toBeDefined();
  });
});

describe('a migration by hand', () => {
  it('merges an add-on update into the DaemonSet only when EKS is done', async () => {
    const eks = aws(EKSClient);
    const addon = (await eks.send(new DescribeAddonCommand({ clusterName: lab.clusterName, addonName: 'vpc-cni' }))).addon;
    const schema = await eks.send(new DescribeAddonConfigurationCommand({ addonName: 'vpc-cni', addonVersion: addon?.addonVersion }));
    expect(schema.configurationSchema).toContain('nodeSelectorTerms');
    for (const node of await listNodes()) {
      await core().patchNode({ name: node.metadata?.name ?? '', body: [{ op: 'add', path: '/metadata/labels/cni-plugin', value: 'aws' }] });
    }
    const bad = new UpdateAddonCommand({ clusterName: lab.clusterName, addonName: 'vpc-cni', configurationValues: '{"nonsense": 1}' });
    await expect(eks.send(bad)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    const terms = [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }, { key: 'cni-plugin', operator: 'In', values: ['aws'] }] }];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
    const started = await eks.send(new UpdateAddonCommand({ clusterName: lab.clusterName, addonName: 'vpc-cni', configurationValues: JSON.stringify({ affinity }), resolveConflicts: 'PRESERVE' }));
    expect(started.update?.status).toBe('InProgress');
    await eventually(async () => {
      const update = await eks.send(new DescribeUpdateCommand({ name: lab.clusterName, addonName: 'vpc-cni', updateId: started.update?.id }));
      expect(update.update?.status).toBe('Successful');
    });
    const daemonSet = await apps().readNamespacedDaemonSet({ namespace: 'kube-system', name: 'aws-node' });
    expect(daemonSet.spec?.template.spec?.affinity).toEqual(affinity);
    await eventually(async () => {
      const { spec, status } = await apps().readNamespacedDaemonSet({ namespace: 'kube-system', name: 'aws-node' });
      expect(spec?.updateStrategy?.rollingUpdate?.maxUnavailable).toBe('10%');
      expect(status).toMatchObject({ numberReady: 6, updatedNumberScheduled: 6 });
    });
  });

  for (const chart of charts()) {
    it(`takes ${path.basename(chart)}: agents only on unlabelled nodes, operator and CRDs there`, async () => {
      await helm('install', chart);
      await eventually(async () => {
        expect((await apps().readNamespacedDeployment({ namespace: 'kube-system', name: 'cilium-operator' })).status?.readyReplicas).toBe(2);
      });
      const { status } = await apps().readNamespacedDaemonSet({ namespace: 'kube-system', name: 'cilium' });
      expect(status?.desiredNumberScheduled).toBe(0);
      if (chart !== charts().at(-1)) await execa(path.join(lab.toolsDir, 'helm'), ['uninstall', 'cilium', '-n', 'kube-system'], { env: lab.env });
    });
  }

  it('replaces a terminated instance in its group and zone, on Cilium', async () => {
    const before = await listNodes();
    const [old] = before;
    const id = old?.spec?.providerID?.split('/').at(-1) ?? '';
    const group = (await lab.status()).instances.find((item) => item.id === id)?.group;
    await drain(old?.metadata?.name ?? '');
    await aws(AutoScalingClient).send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: id, ShouldDecrementDesiredCapacity: false }));
    await eventually(async () => {
      const nodes = await listNodes();
      expect(nodes).toHaveLength(6);
      expect(nodes.every(isReady)).toBe(true);
      expect(zoneCounts(nodes)).toEqual(zoneCounts(before));
      const fresh = nodes.filter((node) => node.metadata?.labels?.['cni-plugin'] === undefined);
      expect(fresh).toHaveLength(1);
      expect(fresh[0]?.status?.conditions?.find((item) => item.type === 'NetworkUnavailable')?.reason).toBe('CiliumIsUp');
    });
    const { instances, violations, killedPods } = await lab.status();
    expect(instances.filter((item) => item.group === group && item.state === 'running')).toHaveLength(3);
    expect(instances.find((item) => item.id === id)?.state).toBe('terminated');
    expect(violations).toEqual([]);
    expect(killedPods).toEqual([]);
  });

  it('gives every pod on a Cilium node a CiliumEndpoint with its address', async () => {
    const fresh = (await listNodes()).find((node) => node.metadata?.labels?.['cni-plugin'] === undefined)?.metadata?.name ?? '';
    await eventually(async () => {
      const pods = (await core().listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${fresh}` })).items.filter((pod) => pod.spec?.hostNetwork !== true);
      expect(pods.length).toBeGreaterThan(0);
      const endpoints = (await custom().listCustomObjectForAllNamespaces({ group: 'cilium.io', version: 'v2', plural: 'ciliumendpoints' })) as { items: Endpoint[] };
      for (const pod of pods) {
        const endpoint = endpoints.items.find((item) => item.metadata.name === pod.metadata?.name && item.metadata.namespace === pod.metadata.namespace);
        expect(endpoint?.status).toMatchObject({ state: 'ready', networking: { addressing: [{ ipv4: pod.status?.podIP }] } });
      }
      const node = (await custom().getClusterCustomObject({ group: 'cilium.io', version: 'v2', plural: 'ciliumnodes', name: fresh })) as CiliumNode;
      expect(Object.keys(node.spec.ipam.pool).length).toBeGreaterThan(8);
      expect(Object.keys(node.status.eni.enis)).toHaveLength(1);
      for (const pod of pods) expect(Object.keys(node.status.ipam.used)).toContain(pod.status?.podIP);
    });
  });

  it('tells a swap of the CNI under a living node', async () => {
    const victim = (await listNodes()).find((node) => node.metadata?.labels?.['cni-plugin'] === 'aws')?.metadata?.name ?? '';
    await core().patchNode({ name: victim, body: [{ op: 'remove', path: '/metadata/labels/cni-plugin' }] });
    await eventually(async () => {
      const kinds = (await lab.status()).violations.filter((item) => item.node === victim).map((item) => item.kind);
      expect(kinds).toContain('cni-swapped');
      expect(kinds).toContain('pod-lost-network');
    });
  });
});

describe('a lab that goes down', () => {
  it('leaves no process and no folder', async () => {
    const { pids } = await lab.status();
    await stopLab(name);
    await sleep(200);
    expect(existsSync(lab.dir)).toBe(false);
    for (const pid of Object.values(pids)) expect(existsSync(`/proc/${String(pid ?? 0)}`)).toBe(false);
    const left = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && commandOf(entry).includes(lab.dir));
    expect(left).toEqual([]);
  });

  it('does not outlive its owner', async () => {
    const owner = execa('true');
    await owner;
    await expect(startLab({ name: `${name}-o`, nodes: 1, ownerPid: owner.pid ?? 0 })).rejects.toThrow(/ended/);
    await stopLab(`${name}-o`);
  });

  it('goes with its supervisor, even one that is killed', async () => {
    const second = await startLab({ name: `${name}-s`, nodes: 1, zones: 1, workload: 'none', clusterAutoscaler: false, bootDelay: 50, agentDelay: 50, reuseAddress: true, ownerPid: process.pid });
    const state = JSON.parse(readFileSync(path.join(second.dir, 'state.json'), 'utf8')) as { supervisor: { pid: number } };
    process.kill(state.supervisor.pid, 'SIGKILL');
    await eventually(() => {
      const left = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && commandOf(entry).includes(second.dir));
      expect(left).toEqual([]);
      return Promise.resolve();
    });
    await stopLab(`${name}-s`);
  });
});

interface Endpoint {
  metadata: { name: string; namespace: string };
  status: unknown;
}

interface CiliumNode {
  spec: { ipam: { pool: Record<string, unknown> } };
  status: { ipam: { used: Record<string, unknown> }; eni: { enis: Record<string, unknown> } };
}

/** The real charts where they can be had, then the stand-in; the last one stays installed. */
function charts(): string[] {
  const shared = path.join(import.meta.dirname, '..', '..', '..', 'shared', 'charts');
  const real = ['cilium-1.12.4.tgz', 'cilium-1.20.0.tgz'].map((file) => path.join(shared, file)).filter((file) => existsSync(file));
  return [...real, standInChart()];
}

async function helm(verb: string, chart: string): Promise<void> {
  const old = path.basename(chart).includes('-1.12.');
  const notAws = [{ matchExpressions: [{ key: 'cni-plugin', operator: 'NotIn', values: ['aws'] }] }];
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: notAws } } };
  const values = {
    eni: { enabled: true },
    ipam: { mode: 'eni' },
    ...(old ? { tunnel: 'disabled' } : { routingMode: 'native', kubeProxyReplacement: 'false', envoy: { affinity } }),
    cluster: { name: 'lab', id: 1 },
    policyEnforcementMode: 'never',
    operator: { unmanagedPodWatcher: { restart: false } },
    affinity,
  };
  await execa(path.join(lab.toolsDir, 'helm'), [verb, 'cilium', chart, '-n', 'kube-system', '-f', '-'], { env: lab.env, input: stringify(values) });
}

async function drain(node: string): Promise<void> {
  await core().patchNode({ name: node, body: [{ op: 'add', path: '/spec/unschedulable', value: true }] });
  await eventually(async () => {
    const pods = (await core().listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}` })).items.filter((pod) => pod.metadata?.ownerReferences?.[0]?.kind !== 'DaemonSet');
    for (const pod of pods) {
      const { name: podName = '', namespace = '' } = pod.metadata ?? {};
      await core().createNamespacedPodEviction({ name: podName, namespace, body: { metadata: { name: podName, namespace } } }).catch(() => undefined);
    }
    expect(pods).toEqual([]);
  });
}

function kubeConfig(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

function core(): CoreV1Api {
  return kubeConfig(lab.kubeconfig).makeApiClient(CoreV1Api);
}

function frontCore(): CoreV1Api {
  return kubeConfig(lab.frontKubeconfig).makeApiClient(CoreV1Api);
}

function apps(): AppsV1Api {
  return kubeConfig(lab.kubeconfig).makeApiClient(AppsV1Api);
}

function custom(): CustomObjectsApi {
  return kubeConfig(lab.kubeconfig).makeApiClient(CustomObjectsApi);
}

function aws<T>(client: new (config: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number }) => T): T {
  return new client({ endpoint: lab.awsEndpoint, region: lab.region, credentials: { accessKeyId: lab.env['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: lab.env['AWS_SECRET_ACCESS_KEY'] ?? '' }, maxAttempts: 1 });
}

/** As `aws eks get-token --role-arn` makes it: a presigned sts:GetCallerIdentity that also signs the cluster's name. */
async function eksToken(role: string): Promise<string> {
  const { Credentials } = await aws(STSClient).send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::123456789012:role/${role}`, RoleSessionName: 'test' }));
  const host = `sts.${lab.region}.amazonaws.com`;
  const date = new Date().toISOString().replace(/[:-]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/${lab.region}/sts/aws4_request`;
  const query = new URLSearchParams({
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${Credentials?.AccessKeyId ?? ''}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '60',
    'X-Amz-Security-Token': Credentials?.SessionToken ?? '',
    'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
  });
  query.sort();
  const canonical = ['GET', '/', query.toString(), `host:${host}`, `x-k8s-aws-id:${lab.clusterName}`, '', 'host;x-k8s-aws-id', createHash('sha256').update('').digest('hex')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [date.slice(0, 8), lab.region, 'sts', 'aws4_request'].reduce<string | Buffer>((secret, part) => createHmac('sha256', secret).update(part).digest(), `AWS4${Credentials?.SecretAccessKey ?? ''}`);
  query.set('X-Amz-Signature', createHmac('sha256', key).update(toSign).digest('hex'));
  return `k8s-aws-v1.${Buffer.from(`https://${host}/?${query.toString()}`).toString('base64url')}`;
}

async function listNodes(): Promise<V1Node[]> {
  return (await core().listNode()).items;
}

function isReady(node: V1Node): boolean {
  return node.status?.conditions?.find((item) => item.type === 'Ready')?.status === 'True';
}

function zoneCounts(nodes: V1Node[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of nodes) {
    const zone = node.metadata?.labels?.['topology.kubernetes.io/zone'] ?? '';
    counts[zone] = (counts[zone] ?? 0) + 1;
  }
  return counts;
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
