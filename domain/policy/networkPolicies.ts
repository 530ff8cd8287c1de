import { matchesSelector } from '../kubernetes/labelSelector.js';
import type { LabelSelector } from '../kubernetes/labelSelector.js';

type Direction = 'ingress' | 'egress';

/** A NetworkPolicy, as much of it as is judged. */
export interface ObservedNetworkPolicy {
  namespace: string;
  name: string;
  podSelector: LabelSelector;
  policyTypes?: string[];
  ingress?: NetworkPolicyRule[];
  egress?: NetworkPolicyRule[];
}

export interface NetworkPolicyRule {
  /** `from` or `to`. */
  peers: { ipBlock?: { cidr: string }; selects: boolean }[];
  ports: { protocol?: string; port?: number | string }[];
}

export interface PolicyReportInput {
  policies: ObservedNetworkPolicy[];
  /** Pods on the pod network that have not ended. */
  pods: { namespace: string; name: string; labels: Record<string, string> }[];
  /** Whether the VPC CNI enforces (or enforced, where it is gone) them; null: it is gone, and nobody knows any more. */
  enforcedBefore: boolean | null;
  /** `enable-policy` of Cilium now; null where Cilium is not there yet. */
  enforcement: string | null;
}

/** What one NetworkPolicy means under Cilium. Stable: keys are only ever added. */
export interface NetworkPolicyMeaning {
  namespace: string;
  name: string;
  /** Directions that it denies by default. */
  directions: Direction[];
  /** Pods that it selects now. */
  pods: number;
  /** Its effect: `takes-effect`: none before, one with Cilium. */
  change: 'takes-effect' | 'stays' | 'unknown' | 'selects-nothing';
  before: string;
  after: string;
  /** Where Cilium reads it otherwise than one may expect. */
  notes: string[];
}

/** What each NetworkPolicy means under Cilium; those that will begin to have an effect come first. */
export function networkPolicyMeanings(input: PolicyReportInput): NetworkPolicyMeaning[] {
  const rank = ({ change }: NetworkPolicyMeaning): number => ['takes-effect', 'unknown', 'stays', 'selects-nothing'].indexOf(change);
  return input.policies
    .map((policy) => meaning(policy, input))
    .sort((one, other) => rank(one) - rank(other) || compare(`${one.namespace}/${one.name}`, `${other.namespace}/${other.name}`));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function meaning(policy: ObservedNetworkPolicy, { pods, enforcedBefore, enforcement }: PolicyReportInput): NetworkPolicyMeaning {
  const directions = directionsOf(policy);
  const selected = pods.filter(({ namespace, labels }) => namespace === policy.namespace && matchesSelector(policy.podSelector, labels)).length;
  return {
    namespace: policy.namespace,
    name: policy.name,
    directions,
    pods: selected,
    change: selected === 0 ? 'selects-nothing' : enforcedBefore === null ? 'unknown' : enforcedBefore ? 'stays' : 'takes-effect',
    before: enforcedBefore === null ? 'the VPC CNI is gone: whether it enforced policies is not known' : enforcedBefore ? 'enforced by the VPC CNI' : 'no effect: the VPC CNI does not enforce policies here',
    after: afterText(directions, enforcement),
    notes: notesOf(policy, directions),
  };
}

/** As the API server reads it: ingress always unless said otherwise, egress where there are rules for it. */
export function directionsOf({ policyTypes, egress }: ObservedNetworkPolicy): Direction[] {
  const types = policyTypes ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
  return (['ingress', 'egress'] as const).filter((direction) => types.some((type) => type.toLowerCase() === direction));
}

function afterText(directions: Direction[], enforcement: string | null): string {
  const denied = `${directions.join(' and ')} that no policy allows is dropped`;
  if (enforcement === null) return `once Cilium enforces: ${denied}`;
  if (enforcement === 'never') return `not enforced yet (policyEnforcementMode never); from before-enforcement on: ${denied}`;
  return `enforced now: ${denied}`;
}

function notesOf(policy: ObservedNetworkPolicy, directions: Direction[]): string[] {
  const rules = directions.flatMap((direction) => policy[direction] ?? []);
  const notes: string[] = [];
  const blocks = [...new Set(rules.flatMap(({ peers }) => peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr]))))];
  if (blocks.length > 0) {
    notes.push(`ipBlock ${blocks.slice(0, 3).join(', ')}${blocks.length > 3 ? ' …' : ''}: Cilium matches no pod and no node by its address, of this cluster or of its mesh; select pods by labels`);
  }
  if (rules.some(({ peers }) => peers.some(({ selects }) => selects))) {
    notes.push('selectors of peers: in a cluster mesh they mean pods of every cluster up to Cilium 1.18, of the local one from 1.19 on');
  }
  if (rules.some(({ ports }) => ports.some(({ protocol }) => protocol === 'SCTP'))) notes.push('SCTP needs the Helm value sctp.enabled');
  if (directions.includes('egress') && !(policy.egress ?? []).some(allowsDns)) notes.push('no rule of it allows port 53: its pods find no names, unless another policy allows it');
  return notes;
}

function allowsDns({ ports }: NetworkPolicyRule): boolean {
  return ports.length === 0 || ports.some(({ port }) => port === undefined || port === 53 || port === 'dns' || port === 'domain');
}
