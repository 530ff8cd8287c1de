import type { CiliumSpec, HelmValues } from '../spec/schema.js';
import type { Strategy } from '../spec/words.js';
import type { NodeSelectorRequirement } from '../kubernetes/nodeAffinity.js';
import { chartProfile, minor } from './charts/index.js';
import type { ChartProfile } from './charts/index.js';
import { datapathOf } from './datapaths/index.js';
import type { ValuesFacts } from './facts.js';
import type { Toleration } from './objects.js';
import { ENVOY_DEFAULT, NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE, ON_CILIUM_NODES } from './placement.js';
import { OPERATOR_TOLERATIONS } from './tolerations.js';
import { NO_CNI_TAINT } from '../names.js';
import { at, layers, nested } from './valueTree.js';
import type { HelmValue } from './valueTree.js';

export type { ValuesFacts } from './facts.js';
export { fightingKeys } from './fightingKeys.js';
export type { FightingKey } from './fightingKeys.js';

/**
 * - `migration`: both CNIs are in the cluster. Cilium stays off aws-node's nodes, nothing is enforced, no pod of ours on the pod network
 * - `enforcement`: every node is on Cilium. The user's policy mode and parts come on; the affinity stays as long as aws-node exists
 * - `final`: aws-node is gone. The migration affinity is dropped: a node whose label comes back would have no CNI at all
 * - `rollback`: as `migration`, and Cilium stays where it is: new nodes come up on aws-node
 */
export type ValuesPhase = 'migration' | 'enforcement' | 'final' | 'rollback';

/** Whether nodes of both CNIs may be there: Cilium knows no identity of pods on aws-node's nodes, so it must not enforce. */
export function isMixed(phase: ValuesPhase): phase is 'migration' | 'rollback' {
  return phase === 'migration' || phase === 'rollback';
}

export interface ValuesInput {
  cilium: CiliumSpec;
  /** spec.cilium.clusterName, or metadata.name where that is absent. */
  clusterName: string;
  phase: ValuesPhase;
  facts: ValuesFacts;
  /** What decides the datapath; absent: `replace`. */
  strategy?: Strategy | undefined;
}

/**
 * The Helm values of one phase: the user's, with ours laid over them (maps merge, lists replace). Complete: meant for
 * `--reset-values`, never for --reuse-values. The user's keys must have passed {@link fightingKeys}: here ours simply win.
 *
 * Facts per version: docs/adr/0005-helm.md and the profiles in charts/.
 *
 * @throws CiliateError Permanent `UnknownChartVersion`
 */
export function ciliumValues(input: ValuesInput): HelmValues {
  const profile = chartProfile(input.cilium.version);
  return layers(input.cilium.values, profile.extra, base(input, profile), datapathOf(input).values(input), operator(input, profile), placement(input, profile), heldBack(input, profile));
}

function base({ cilium, clusterName, phase, facts }: ValuesInput, profile: ChartProfile): HelmValues {
  return layers(
    {
      kubeProxyReplacement: profile.kubeProxyReplacementOff,
      cluster: { name: clusterName, id: cilium.clusterId ?? 0 },
      policyEnforcementMode: isMixed(phase) ? 'never' : finalPolicyMode(cilium.values),
      // A changed ConfigMap restarts nothing by itself; with these the pod templates carry its checksum and roll.
      rollOutCiliumPods: true,
      upgradeCompatibility: facts.firstMinor ?? `1.${minor(cilium.version)}`,
    },
    nested(profile.routing.path, profile.routing.value),
    facts.eksEndpoint === undefined ? {} : { k8sServiceHost: facts.eksEndpoint.host, k8sServicePort: facts.eksEndpoint.port },
  );
}

/** The user's policy mode is the final one: until every node is on Cilium, peers on aws-node's nodes have no identity. */
function finalPolicyMode(user: HelmValues): string {
  const mode = at(user, 'policyEnforcementMode');
  return typeof mode === 'string' ? mode : 'default';
}

function operator({ cilium, phase, facts, strategy }: ValuesInput, profile: ChartProfile): HelmValues {
  const user = cilium.values;
  const replicas = at(user, 'operator.replicas');
  const restart = isMixed(phase) ? false : at(user, 'operator.unmanagedPodWatcher.restart') !== false;
  const tolerations = operatorTolerations({ user, phase, keys: [...facts.operatorTaintKeys, ...(strategy === 'clean' && phase !== 'final' ? [NO_CNI_TAINT] : [])] }, profile);
  return {
    operator: {
      replicas: facts.operatorReplicas === 1 || typeof replicas !== 'number' ? facts.operatorReplicas : replicas,
      rollOutPods: true,
      // It deletes CoreDNS pods that have no CiliumEndpoint: those on aws-node's nodes, for ever.
      unmanagedPodWatcher: { restart },
      ...(tolerations === undefined ? {} : { tolerations }),
    },
  };
}

function operatorTolerations(given: { user: HelmValues; phase: ValuesPhase; keys: string[] }, profile: ChartProfile): HelmValue | undefined {
  const users = at(given.user, 'operator.tolerations');
  // Where the chart tolerates everything by default, the narrower list is ours only for as long as nodes are drained.
  if (given.phase === 'final' && profile.operatorTolerates === 'everything' && users === undefined) return undefined;
  const wanted: Toleration[] = [...OPERATOR_TOLERATIONS, ...given.keys.map((key) => ({ key, operator: 'Exists' }))];
  const kept = Array.isArray(users) ? users : [];
  const missing = wanted.filter(({ key }) => !kept.some((toleration) => isExists(toleration, key)));
  return [...kept, ...missing.map((toleration) => ({ ...toleration }) as HelmValue)];
}

function isExists(toleration: HelmValue | undefined, key: string | undefined): boolean {
  if (typeof toleration !== 'object' || toleration === null || Array.isArray(toleration)) return false;
  return toleration['key'] === key && toleration['operator'] === 'Exists' && toleration['effect'] === undefined;
}

function placement(input: ValuesInput, profile: ChartProfile): HelmValues {
  const { cilium } = input;
  const guard = guardOf(input);
  // Replaced as a whole; the chart merges its own podAntiAffinity in, since that is another key of the same map.
  const agent = { affinity: required(guard) };
  if (profile.envoyDaemonSet === 'never') return agent;
  // With a bootstrap ConfigMap of the user's there is nothing of the chart's to take a checksum of.
  const rollOut: HelmValues = at(cilium.values, 'envoy.bootstrapConfigMap') === undefined ? { envoy: { rollOutPods: true } } : {};
  return layers(agent, { envoy: { affinity: required([ENVOY_DEFAULT, ...guard]) } }, rollOut);
}

function guardOf(input: ValuesInput): NodeSelectorRequirement[] {
  if (datapathOf(input).besideAwsNode) return input.phase === 'rollback' ? [ON_CILIUM_NODES, NOT_ON_OTHER_COMPUTE] : [NOT_ON_OTHER_COMPUTE];
  switch (input.phase) {
    case 'migration':
    case 'enforcement':
      return [NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE];
    case 'final':
      return [NOT_ON_OTHER_COMPUTE];
    case 'rollback':
      return [ON_CILIUM_NODES, NOT_ON_AWS_NODES, NOT_ON_OTHER_COMPUTE];
  }
}

function required(expressions: NodeSelectorRequirement[]): HelmValues {
  const matchExpressions = expressions.map(({ key, operator: op, values }) => ({ key, operator: op, values: [...(values ?? [])] }));
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } };
}

/** Only what the user switched on is switched off again: the charts' defaults are off, and the rendered manifests prove it. */
function heldBack({ cilium, phase }: ValuesInput, profile: ChartProfile): HelmValues {
  if (!isMixed(phase)) return {};
  const wanted = profile.heldBack.filter((path) => at(cilium.values, path) !== undefined);
  return layers(...wanted.map((path) => nested(path, false)));
}
