import { AGENT_NOT_READY_TAINT, CILIUM, KUBE_SYSTEM } from '../names.js';
import type { HelmValues } from '../spec/schema.js';
import type { Strategy } from '../spec/words.js';
import { chartProfile } from './charts/index.js';
import type { ChartProfile } from './charts/index.js';
import { datapathOf } from './datapaths/index.js';
import type { Toleration } from './objects.js';
import { toleratesEverything } from './tolerations.js';
import { off, on, only } from './keyRule.js';
import type { KeyRule } from './keyRule.js';
import { at, isMap } from './valueTree.js';
import type { HelmValue } from './valueTree.js';

/** A key of spec.cilium.values that fights the migration: its dotted path and why. */
export interface FightingKey {
  path: string;
  why: string;
}

const linux = (value: HelmValue): boolean => isMap(value) && Object.keys(value).length === 1 && value['kubernetes.io/os'] === 'linux';

const ELSEWHERE: KeyRule[] = [
  { path: 'cluster', why: 'name and id come from spec.cilium.clusterName and clusterId' },
  { path: 'enableIPv4Masquerade', why: 'it comes from spec.cilium.masquerade' },
  { path: 'egressMasqueradeInterfaces', why: 'it comes from spec.cilium.masqueradeInterface' },
  { path: 'upgradeCompatibility', why: 'it is set to the minor that was installed first' },
];

const PLACEMENT: KeyRule[] = [
  { path: 'affinity', why: 'it keeps the agent off the nodes where aws-node runs, and each node has exactly one CNI by it' },
  { path: 'envoy.affinity', why: 'it keeps cilium-envoy off the nodes where aws-node runs' },
  { path: 'nodeSelector', why: 'a node that it leaves out would have neither aws-node nor Cilium', allows: linux },
  { path: 'envoy.nodeSelector', why: 'a node that it leaves out would have an agent without its Envoy', allows: linux },
  { path: 'tolerations', why: 'the agent must tolerate every taint: a node that it leaves out would have no CNI', allows: toleratesAll },
  { path: 'updateStrategy.type', why: 'with OnDelete no agent would ever run on changed values', allows: only('RollingUpdate') },
  { path: 'rollOutCiliumPods', why: 'without it a changed ConfigMap restarts no agent', allows: on },
  { path: 'envoy.rollOutPods', why: 'without it a changed ConfigMap restarts no Envoy', allows: on },
  { path: 'name', why: 'the agents are looked for in DaemonSet cilium', allows: only(CILIUM) },
  { path: 'namespaceOverride', why: 'everything is looked for in kube-system', allows: only(KUBE_SYSTEM) },
  { path: 'agent', why: 'without agents there is no CNI', allows: on },
];

const DATAPATH: KeyRule[] = [
  { path: 'azure.enabled', why: 'this is EKS', allows: off },
  { path: 'gke.enabled', why: 'this is EKS', allows: off },
  { path: 'aksbyocni.enabled', why: 'this is EKS', allows: off },
  { path: 'alibabacloud.enabled', why: 'this is EKS', allows: off },
  { path: 'ipv4.enabled', why: 'ENI mode is IPv4', allows: on },
  { path: 'ipv6.enabled', why: 'ENI mode is IPv4 only', allows: off },
  { path: 'cni.chainingTarget', why: 'it chains Cilium behind another CNI (generic-veth)', allows: only(null) },
  { path: 'cni.install', why: 'without the CNI configuration no pod starts on a migrated node', allows: on },
  { path: 'identityAllocationMode', why: 'the proofs read CiliumIdentity and CiliumEndpoint objects', allows: only('crd') },
  { path: 'disableEndpointCRD', why: 'a pod on Cilium is proven by its CiliumEndpoint', allows: only(false, 'false', null) },
  { path: 'encryption.strictMode', why: 'strict mode drops traffic with the nodes that still run aws-node', allows: notStrict },
  { path: 'daemon.configSources', why: 'the agents must read ConfigMap cilium-config, which is what is checked', allows: only(null) },
];

const PARTS: KeyRule[] = [
  { path: 'preflight.enabled', why: 'the pre-flight DaemonSet takes the place of the agents', allows: off },
  { path: 'nodeinit.enabled', why: "it would prepare (and re-configure) the nodes where aws-node runs", allows: off },
  { path: 'standaloneDnsProxy.enabled', why: 'its DaemonSet would run on the nodes where aws-node runs', allows: off },
  { path: 'policyEnforcementMode', why: 'expected default, always or never: it is applied after before-enforcement', allows: only('default', 'always', 'never') },
  { path: 'agentNotReadyTaintKey', why: `a new node is awaited to lose the taint ${AGENT_NOT_READY_TAINT}`, allows: only(AGENT_NOT_READY_TAINT) },
  { path: 'bpf.masquerade', why: 'it needs the BPF NodePort of a kube-proxy replacement; kube-proxy stays during the migration', allows: off },
];

const OPERATOR: KeyRule[] = [
  { path: 'operator.enabled', why: 'the operator gives nodes their addresses', allows: on },
  { path: 'operator.replicas', why: 'expected 1 or more', allows: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 },
  { path: 'operator.rollOutPods', why: 'without it a changed ConfigMap does not restart the operator', allows: on },
  {
    path: 'operator.unmanagedPodWatcher.restart',
    why: 'true comes by itself after before-enforcement; earlier it deletes CoreDNS pods on aws-node nodes again and again',
    allows: off,
  },
  { path: 'operator.hostNetwork', why: 'it gives pods their network, so it cannot wait for one', allows: on },
  { path: 'operator.nodeSelector', why: 'it must find a place while nodes are being replaced', allows: linux },
  { path: 'operator.affinity.nodeAffinity', why: 'it must find a place on old and new nodes while they are being replaced', allows: only(null) },
  {
    path: 'operator.tolerations',
    why: 'tolerating everything includes the cordon: evicted from a node being drained it would come straight back',
    allows: (value) => Array.isArray(value) && !toleratesEverything(value as Toleration[]),
  },
  { path: 'operator.removeNodeTaints', why: 'a new node would keep its agent-not-ready taint', allows: on },
  { path: 'operator.setNodeNetworkStatus', why: 'a new node is known to be on Cilium by its condition NetworkUnavailable', allows: on },
];

/**
 * Every key of spec.cilium.values that fights the migration with a chart of this version, in a fixed order. Empty: all is well.
 *
 * Not refused, but put off until every node is on Cilium: `policyEnforcementMode` (the final mode) and the parts with pods on the
 * pod network (hubble.relay, hubble.ui, clustermesh.useAPIServer …).
 *
 * @throws CiliateError Permanent `UnknownChartVersion`
 */
export function fightingKeys(values: HelmValues, { version, strategy }: { version: string; strategy?: Strategy | undefined }): FightingKey[] {
  const profile = chartProfile(version);
  const datapath = datapathOf({ strategy });
  const rules = [...ELSEWHERE, ...routing(profile), ...kubeProxy(profile), ...PLACEMENT, ...datapath.rules, ...DATAPATH, ...PARTS, ...OPERATOR];
  return [...notMaps(values, rules), ...rules.filter((rule) => isBroken(values, rule)).map(({ path, why }) => ({ path, why: datapath.reasons[path] ?? why }))];
}

function isBroken(values: HelmValues, rule: KeyRule): boolean {
  const value = at(values, rule.path);
  return value !== undefined && rule.allows?.(value) !== true;
}

function routing({ routing: { path, value }, foreignRouting }: ChartProfile): KeyRule[] {
  return [
    { path, why: `the VPC routes pods natively: expected ${value}`, allows: only(value) },
    { path: foreignRouting.path, why: foreignRouting.why },
  ];
}

function kubeProxy({ kubeProxyReplacementOff }: ChartProfile): KeyRule[] {
  const allowed = kubeProxyReplacementOff === 'disabled' ? only('disabled') : only('false', false);
  return [{ path: 'kubeProxyReplacement', why: `kube-proxy stays during the migration: expected ${kubeProxyReplacementOff}`, allows: allowed }];
}

/** `operator: null` or `eni: []` would take away a whole block of the chart's defaults, ours included. */
function notMaps(values: HelmValues, rules: KeyRule[]): FightingKey[] {
  const parents = new Set(rules.flatMap(({ path }) => parentsOf(path)).concat(['cni', 'hubble', 'extraConfig']));
  return [...parents]
    .filter((path) => {
      const value = at(values, path);
      return value !== undefined && !isMap(value);
    })
    .map((path) => ({ path, why: 'expected a map: anything else drops every default of the chart below it' }));
}

function parentsOf(path: string): string[] {
  const keys = path.split('.');
  return keys.slice(0, -1).map((_, index) => keys.slice(0, index + 1).join('.'));
}

function toleratesAll(value: HelmValue): boolean {
  return Array.isArray(value) && toleratesEverything(value as Toleration[]);
}

/** `strictMode.enabled` up to 1.18, `strictMode.{egress,ingress}.enabled` from 1.19 on. */
function notStrict(value: HelmValue): boolean {
  if (value === null) return true;
  if (!isMap(value)) return false;
  return ['enabled', 'egress.enabled', 'ingress.enabled'].every((path) => at(value, path) === undefined || at(value, path) === false);
}
