import { CILIUM, CILIUM_ENVOY, CILIUM_OPERATOR, CNI_LABEL, KUBE_SYSTEM } from '../names.js';
import { affinityKeys, hasInEveryTerm } from '../kubernetes/nodeAffinity.js';
import type { Affinity } from '../kubernetes/nodeAffinity.js';
import { datapathOf } from './datapaths/index.js';
import { expectedConfig } from './expectedConfig.js';
import { objectName, workloads } from './objects.js';
import type { KubeObject, Workload } from './objects.js';
import type { RenderFinding } from './renderFinding.js';
import { assertOperator } from './renderedOperator.js';
import { NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE, ON_CILIUM_NODES } from './placement.js';
import { toleratesEverything } from './tolerations.js';
import { isMixed } from './values.js';
import type { ValuesInput, ValuesPhase } from './values.js';

export type { RenderFinding } from './renderFinding.js';

const CONFIG = 'cilium-config';
const CHECKSUM = 'cilium.io/cilium-configmap-checksum';

/**
 * The assertions on the rendered chart (cilium-on-eks.md 1.5), before anything is applied. Fail closed: what is missing, twice
 * there or unknown is a finding. Empty: the manifests do what the phase needs.
 *
 * @throws CiliateError Permanent `UnknownChartVersion`
 */
export function assertRendered(objects: KubeObject[], input: ValuesInput): RenderFinding[] {
  const found = workloads(objects);
  const config = single(objects, 'ConfigMap', CONFIG);
  return [
    ...config.findings,
    ...(config.object === undefined ? [] : assertConfig(config.object, input)),
    ...single(objects, 'DaemonSet', CILIUM).findings,
    ...single(objects, 'Deployment', CILIUM_OPERATOR).findings,
    ...envoyIsThere(objects, config.object),
    ...found.flatMap((workload) => assertPlacement(workload, input)),
    ...named(found, 'DaemonSet', CILIUM).flatMap(assertAgent),
    ...named(found, 'Deployment', CILIUM_OPERATOR).flatMap((operator) => assertOperator(operator, input)),
    ...[...named(found, 'DaemonSet', CILIUM), ...named(found, 'Deployment', CILIUM_OPERATOR)].flatMap((workload) => [
      ...assertRolls(workload),
      ...assertOverrides(workload, input),
    ]),
  ];
}

/**
 * Node selector and affinity of DaemonSet cilium as rendered: with matchesNode they say which nodes get an agent.
 *
 * @returns null where there is no such DaemonSet.
 */
export function agentAffinity(objects: KubeObject[]): { nodeSelector: Record<string, string>; affinity: Affinity } | null {
  const [agent] = named(workloads(objects), 'DaemonSet', CILIUM);
  if (agent === undefined) return null;
  return { nodeSelector: agent.pod.nodeSelector ?? {}, affinity: agent.pod.affinity ?? {} };
}

function named(found: Workload[], kind: string, name: string): Workload[] {
  return found.filter((workload) => workload.kind === kind && workload.name === name);
}

function single(objects: KubeObject[], kind: string, name: string): { object?: KubeObject; findings: RenderFinding[] } {
  const all = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  const [object] = all;
  const where = all.map((candidate) => candidate.metadata.namespace ?? 'no namespace').join(', ');
  if (all.length === 1 && object?.metadata.namespace === KUBE_SYSTEM) return { object, findings: [] };
  return {
    findings: [{ object: `${kind} ${KUBE_SYSTEM}/${name}`, expected: 'exactly one', seen: all.length === 0 ? 'none' : `${all.length} (${where})` }],
  };
}

function assertConfig(config: KubeObject, input: ValuesInput): RenderFinding[] {
  const data = config.data ?? {};
  return expectedConfig(input)
    .filter(({ key, holds }) => !holds(Object.hasOwn(data, key) ? data[key] : undefined))
    .map(({ key, expected }) => ({ object: `${objectName(config)}, key ${key}`, expected, seen: quoted(data[key]) }));
}

/** Where the agent is told that Envoy runs outside of it, the DaemonSet must be there. */
function envoyIsThere(objects: KubeObject[], config: KubeObject | undefined): RenderFinding[] {
  return config?.data?.['external-envoy-proxy'] === 'true' ? single(objects, 'DaemonSet', CILIUM_ENVOY).findings : [];
}

function assertPlacement(workload: Workload, input: ValuesInput): RenderFinding[] {
  const { phase } = input;
  const { object, kind, pod } = workload;
  const name = `${objectName(object)}, node affinity`;
  const findings: RenderFinding[] = [];
  if (pod.containers === undefined) findings.push({ object: objectName(object), expected: 'a pod template that can be read', seen: 'none' });

  const speaksOfLabel = [...affinityKeys(pod.affinity), ...Object.keys(pod.nodeSelector ?? {})].includes(CNI_LABEL);
  const { besideAwsNode } = datapathOf(input);
  if (phase === 'final' || besideAwsNode) {
    if (speaksOfLabel) findings.push({ object: name, expected: `nothing about ${CNI_LABEL} ${besideAwsNode ? 'where Cilium shares the nodes' : 'once aws-node is gone'}`, seen: affinityText(pod.affinity) });
  } else if (needsGuard(workload, phase) && !hasInEveryTerm(pod.affinity, NOT_ON_AWS_NODES)) {
    findings.push({ object: name, expected: `${CNI_LABEL} NotIn [aws] in every required term`, seen: affinityText(pod.affinity) });
  }
  if (phase === 'rollback' && needsGuard(workload, phase) && !hasInEveryTerm(pod.affinity, ON_CILIUM_NODES)) {
    findings.push({ object: name, expected: `${ON_CILIUM_NODES.key} In [cilium] in every required term`, seen: affinityText(pod.affinity) });
  }
  if (phase !== 'rollback' && affinityKeys(pod.affinity).includes(ON_CILIUM_NODES.key)) {
    findings.push({ object: name, expected: `nothing about ${ON_CILIUM_NODES.key} but on the way back`, seen: affinityText(pod.affinity) });
  }
  if (kind === 'DaemonSet' && [CILIUM, CILIUM_ENVOY].includes(object.metadata.name) && !hasInEveryTerm(pod.affinity, NOT_ON_OTHER_COMPUTE)) {
    findings.push({ object: name, expected: `${NOT_ON_OTHER_COMPUTE.key} NotIn [fargate, hybrid, auto] in every required term`, seen: affinityText(pod.affinity) });
  }
  return findings;
}

/**
 * A DaemonSet of any name, as long as aws-node exists; while nodes of both are there also every pod on the pod network (a hook's Job,
 * hubble-relay …): on an aws-node node it would be a pod without a Cilium identity.
 */
function needsGuard({ kind, pod }: Workload, phase: Exclude<ValuesPhase, 'final'>): boolean {
  return kind === 'DaemonSet' || (isMixed(phase) && pod.hostNetwork !== true);
}

function assertAgent({ object, pod, updateType }: Workload): RenderFinding[] {
  const findings: RenderFinding[] = [];
  const name = objectName(object);
  if (pod.hostNetwork !== true) findings.push({ object: `${name}, hostNetwork`, expected: 'true', seen: String(pod.hostNetwork) });
  if (!toleratesEverything(pod.tolerations)) findings.push({ object: `${name}, tolerations`, expected: 'everything tolerated', seen: JSON.stringify(pod.tolerations ?? []) });
  if (updateType !== 'RollingUpdate') findings.push({ object: `${name}, updateStrategy`, expected: 'RollingUpdate', seen: updateType ?? 'nothing' });
  const selector = Object.entries(pod.nodeSelector ?? {}).filter(([key, value]) => key !== 'kubernetes.io/os' || value !== 'linux');
  if (selector.length > 0) findings.push({ object: `${name}, nodeSelector`, expected: 'kubernetes.io/os: linux', seen: JSON.stringify(pod.nodeSelector) });
  return findings;
}

/** A ConfigMap change restarts nothing by itself: the pod template must carry its checksum. */
function assertRolls({ object, annotations }: Workload): RenderFinding[] {
  if (/^[0-9a-f]{64}$/.test(annotations[CHECKSUM] ?? '')) return [];
  return [{ object: `${objectName(object)}, annotation ${CHECKSUM}`, expected: 'the checksum of cilium-config', seen: quoted(annotations[CHECKSUM]) }];
}

/** Flags and CILIUM_ variables win over cilium-config: one that says something about a checked key makes the check worthless. */
function assertOverrides({ object, pod }: Workload, input: ValuesInput): RenderFinding[] {
  const keys = new Set(expectedConfig(input).map(({ key }) => key));
  const variables = new Set([...keys].map((key) => `CILIUM_${key.toUpperCase().replaceAll('-', '_')}`));
  return [...(pod.containers ?? []), ...(pod.initContainers ?? [])].flatMap((container) => {
    const flags = [...(container.command ?? []), ...(container.args ?? [])].filter((arg) => keys.has(flagName(arg)));
    const env = (container.env ?? [])
      // Taken from cilium-config itself (older charts do so) it says the same.
      .filter(({ name, valueFrom }) => variables.has(name) && valueFrom?.configMapKeyRef?.name !== CONFIG)
      .map(({ name }) => name);
    return [...flags, ...env].map((seen) => ({ object: `${objectName(object)}, container ${container.name}`, expected: 'no override of cilium-config', seen }));
  });
}

function flagName(arg: string): string {
  return /^--?([a-z0-9-]+)/.exec(arg)?.[1] ?? '';
}

function affinityText(affinity: Affinity | undefined): string {
  return affinity?.nodeAffinity === undefined ? 'no node affinity' : JSON.stringify(affinity.nodeAffinity);
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
