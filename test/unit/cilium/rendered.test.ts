import { describe, expect, it } from 'vitest';
import { agentAffinity, assertRendered } from '../../../domain/cilium/rendered.js';
import type { KubeObject } from '../../../domain/cilium/objects.js';
import { ciliumValues } from '../../../domain/cilium/values.js';
import type { ValuesInput } from '../../../domain/cilium/values.js';
import { merge, nested } from '../../../domain/cilium/valueTree.js';
import type { HelmValue } from '../../../domain/cilium/valueTree.js';
import { matchesNode } from '../../../domain/kubernetes/nodeAffinity.js';
import { CAN_RENDER, FACTS, PHASES, REAL_CHARTS, input, render, renderAnew, thorough } from './fixtures.js';

const node = (labels: Record<string, string>) => ({ name: 'n', labels: { 'kubernetes.io/os': 'linux', ...labels } });
const minorOf = (version: string): number => Number(version.split('.')[1]);

describe.skipIf(!CAN_RENDER).each(REAL_CHARTS)('real chart $version', ({ version, path }) => {
  describe.each(PHASES)('%s', (phase) => {
    it('renders to what the phase needs', async () => {
      const given = input(version, phase);
      expect(assertRendered(await render(path, ciliumValues(given)), given)).toEqual([]);
    });

    it.each([
      [
        'one node, tainted groups, prefixes, no masquerade, API server by name',
        {
          facts: {
            masquerade: { enabled: false },
            operatorReplicas: 1 as const,
            operatorTaintKeys: ['dedicated'],
            prefixDelegation: true,
            eksEndpoint: { host: 'abc.eks.amazonaws.com', port: 443 },
          },
        },
      ],
      [
        'values of the user',
        {
          values: {
            policyEnforcementMode: 'always',
            hubble: { relay: { enabled: true }, ui: { enabled: true } },
            cni: { chainingMode: 'portmap' },
            clustermesh: { useAPIServer: true },
            operator: { replicas: 3, tolerations: [{ key: 'infra', operator: 'Exists' }], unmanagedPodWatcher: { restart: false } },
            eni: { iamRole: 'arn:aws:iam::111122223333:role/cilium' },
            podAnnotations: { team: 'net' },
          },
        },
      ],
    ])('%s', async (_, extra) => {
      const given = input(version, phase, extra);
      const objects = await render(path, ciliumValues(given));
      expect(assertRendered(objects, given)).toEqual([]);
    });

    it('puts agents on the right nodes', async () => {
      const objects = await render(path, ciliumValues(input(version, phase)));
      const placed = agentAffinity(objects);
      const wants = (labels: Record<string, string>) => matchesNode(placed?.affinity, placed?.nodeSelector, node(labels));
      expect(wants({})).toBe(true);
      expect(wants({ 'cni-plugin': 'aws' })).toBe(phase === 'final');
      expect(wants({ 'cni-plugin': 'other' })).toBe(true);
      expect(wants({ 'eks.amazonaws.com/compute-type': 'fargate' })).toBe(false);
      expect(wants({ 'eks.amazonaws.com/compute-type': 'ec2' })).toBe(true);
      expect(wants({ 'kubernetes.io/os': 'windows' })).toBe(false);
    });
  });

  it('holds hubble-relay and clustermesh back until enforcement', async () => {
    const values = { hubble: { relay: { enabled: true } }, clustermesh: { useAPIServer: true } };
    const names = async (phase: 'migration' | 'enforcement') =>
      (await render(path, ciliumValues(input(version, phase, { values })))).filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    expect(await names('migration')).toEqual(['cilium-operator']);
    expect((await names('enforcement')).sort()).toEqual(['cilium-operator', 'clustermesh-apiserver', 'hubble-relay']);
  });

  it('rolls agent and operator with enforcement, and says so by a checksum that only the ConfigMap moves', async () => {
    const sum = async (phase: 'migration' | 'enforcement' | 'final', how = render) => {
      const objects = await how(path, ciliumValues(input(version, phase)));
      return ['DaemonSet cilium', 'Deployment cilium-operator'].map((name) => {
        const object = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === name);
        const spec = object?.spec as { template: { metadata: { annotations: Record<string, string> } } };
        return spec.template.metadata.annotations['cilium.io/cilium-configmap-checksum'];
      });
    };
    const [migration, enforcement, final] = await Promise.all([sum('migration'), sum('enforcement'), sum('final')]);
    expect(migration).not.toEqual(enforcement);
    expect(enforcement).toEqual(final);
    expect(await sum('migration', renderAnew)).toEqual(migration);
  });

  it('survives upgradeCompatibility of every older minor', async () => {
    for (const firstMinor of ['1.12', '1.14', '1.17'].filter((minor) => minorOf(`${minor}.0`) <= minorOf(version))) {
      const given = input(version, 'migration', { facts: { firstMinor } });
      expect(assertRendered(await render(path, ciliumValues(given)), given)).toEqual([]);
    }
  });

  /** One value broken at a time: it must come out as a finding, or not render at all. */
  const notNative: [string, HelmValue] = minorOf(version) < 14 ? ['tunnel', 'vxlan'] : ['routingMode', 'tunnel'];
  const broken: [string, HelmValue][] = [
    notNative,
    ['eni.enabled', false],
    ['ipam.mode', 'cluster-pool'],
    ['enableIPv4Masquerade', false],
    ['egressMasqueradeInterfaces', 'eth1'],
    ['cluster.name', 'other'],
    ['cluster.id', 2],
    ['policyEnforcementMode', 'default'],
    ['kubeProxyReplacement', minorOf(version) < 14 ? 'strict' : 'true'],
    ['operator.unmanagedPodWatcher.restart', true],
    ['operator.replicas', 1],
    ['operator.tolerations', [{ operator: 'Exists' }]],
    ['operator.tolerations', []],
    ['operator.image.override', 'quay.io/cilium/operator-generic:v1'],
    ['operator.nodeSelector', { pool: 'infra' }],
    ['operator.rollOutPods', false],
    ['operator.enabled', false],
    ['operator.extraArgs', ['--ipam=cluster-pool']],
    ['operator.removeNodeTaints', false],
    ['operator.setNodeNetworkStatus', false],
    ['rollOutCiliumPods', false],
    ['extraArgs', ['--enable-policy=always']],
    ['extraEnv', [{ name: 'CILIUM_ENABLE_POLICY', value: 'always' }]],
    ['tolerations', [{ key: 'a', operator: 'Exists' }]],
    ['nodeSelector', { pool: 'a' }],
    ['updateStrategy.type', 'OnDelete'],
    ['agent', false],
    ['preflight.enabled', true],
    ['nodeinit.enabled', true],
    ['ipv6.enabled', true],
    ['cni.chainingMode', 'aws-cni'],
    ['cni.chainingMode', 'generic-veth'],
    ['identityAllocationMode', 'kvstore'],
    ['hubble.relay.enabled', true],
    ['clustermesh.useAPIServer', true],
    ['eni.awsEnablePrefixDelegation', true],
    ['agentNotReadyTaintKey', 'example.com/x'],
    ['bpf.masquerade', true],
    ['affinity', {}],
    ['affinity.nodeAffinity', {}],
    ['affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms', [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }]],
    ['extraConfig', { 'enable-policy': 'default' }],
    ...(minorOf(version) < 16 ? [] : ([['envoy.affinity.nodeAffinity', {}], ['upgradeCompatibility', '1.12']] as [string, HelmValue][])),
    ...(minorOf(version) < 18 ? [] : ([['operator.hostNetwork', false], ['name', 'cilium-x'], ['namespaceOverride', 'cilium']] as [string, HelmValue][])),
    ...(minorOf(version) < 19 ? [] : ([['standaloneDnsProxy', { enabled: true }]] as [string, HelmValue][])),
  ];
  it.skipIf(!thorough(version)).each(broken)('finds %s = %j', async (where, value) => {
    const given: ValuesInput = input(version, 'migration');
    // Replaces rather than merges: a broken affinity must not be mended by ours.
    const values = merge(merge(ciliumValues(given), nested(where, null)), nested(where, value));
    // Explicit values do what upgradeCompatibility would, and from 1.19 on eni.enabled implies ipam.mode: these render clean.
    const harmless = where === 'upgradeCompatibility' || (where === 'ipam.mode' && minorOf(version) >= 19);
    const findings = await renderAnew(path, values).then(
      (objects) => assertRendered(objects, given).map(({ object }) => object),
      (error: Error) => [error.message],
    );
    if (harmless) expect(findings).toEqual([]);
    else expect(findings).not.toEqual([]);
  });

  it('finds every key of cilium-config that is missing or changed, and every object that is missing', async () => {
    const given = input(version, 'migration');
    const objects = await render(path, ciliumValues(given));
    const config = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'cilium-config');
    const data = config?.data ?? {};
    for (const key of ['ipam', 'enable-endpoint-routes', 'enable-ipv4-masquerade', 'cluster-name', 'cluster-id', 'enable-policy', 'unmanaged-pod-watcher-interval', 'kube-proxy-replacement', 'auto-create-cilium-node-resource']) {
      const { [key]: gone, ...rest } = data;
      expect(gone).toBeDefined();
      for (const changed of [rest, { ...data, [key]: 'x' }]) {
        const mutated = objects.map((object) => (object === config ? { ...object, data: changed } : object));
        expect(assertRendered(mutated, given).map(({ object }) => object).join()).toContain(`key ${key}`);
      }
    }
    for (const name of ['ConfigMap cilium-config', 'DaemonSet cilium', 'Deployment cilium-operator', ...(minorOf(version) < 16 ? [] : ['DaemonSet cilium-envoy'])]) {
      expect(assertRendered(objects.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== name), given)).not.toEqual([]);
    }
  });

  it('finds an unknown DaemonSet and a pod on the pod network while aws-node is there, and a left-over guard at the end', async () => {
    const pod = (kind: string, hostNetwork: boolean): KubeObject => ({
      apiVersion: 'x/v1', kind, metadata: { name: 'x', namespace: 'kube-system' },
      spec: { template: { spec: { hostNetwork, containers: [{ name: 'c' }] } } },
    });
    const cron: KubeObject = { ...pod('CronJob', false), spec: { jobTemplate: { spec: pod('Job', false).spec } } };
    for (const [phase, added, bad] of [
      ['migration', pod('DaemonSet', true), true],
      ['enforcement', pod('DaemonSet', true), true],
      ['final', pod('DaemonSet', true), false],
      ['migration', pod('Job', false), true],
      ['migration', pod('SomethingNew', false), true],
      ['migration', cron, true],
      ['migration', pod('Job', true), false],
      ['enforcement', pod('Deployment', false), false],
    ] as const) {
      const given = input(version, phase);
      const findings = assertRendered([...(await render(path, ciliumValues(given))), added], given);
      expect(findings.length > 0, `${phase} ${added.kind}`).toBe(bad);
    }
    const guarded = await render(path, ciliumValues(input(version, 'enforcement')));
    expect(assertRendered(guarded, input(version, 'final'))).not.toEqual([]);
  });
});

it('has facts that are complete', () => expect(FACTS.operatorTaintKeys).toEqual([]));
