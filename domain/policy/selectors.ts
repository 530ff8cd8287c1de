import type { CiliumNetworkPolicy } from '../spec/policy.js';
import { bareKey, CLUSTER_LABEL } from './labels.js';

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key?: string }[];
}

type Rule = Record<string, unknown>;

/** The rules of a policy: `spec`, or every entry of `specs`. */
export function rulesOf(policy: CiliumNetworkPolicy): Rule[] {
  const { spec, specs } = policy as { spec?: Rule; specs?: Rule[] };
  return [...(isRecord(spec) ? [spec] : []), ...(Array.isArray(specs) ? specs.filter(isRecord) : [])];
}

/** Directions in which a policy makes the pods that it selects deny by default. */
export function directionsOf(policy: CiliumNetworkPolicy): ('ingress' | 'egress')[] {
  const has = (key: 'ingress' | 'egress'): boolean => rulesOf(policy).some((rule) => (rule[key] !== undefined || rule[`${key}Deny`] !== undefined) && !isOff(rule, key));
  return (['ingress', 'egress'] as const).filter(has);
}

/** `enableDefaultDeny: {egress: false}` (1.16 on): the rules allow, but nothing else is denied for it. */
function isOff(rule: Rule, direction: 'ingress' | 'egress'): boolean {
  return isRecord(rule['enableDefaultDeny']) && rule['enableDefaultDeny'][direction] === false;
}

/** Labels that a policy selects its pods by, as Kubernetes knows them; undefined where it uses more than matchLabels. */
export function selectedLabels(policy: CiliumNetworkPolicy): Record<string, string> | undefined {
  const [rule, ...more] = rulesOf(policy);
  const selector = rule?.['endpointSelector'] as Selector | undefined;
  if (rule === undefined || more.length > 0 || selector === undefined || (selector.matchExpressions ?? []).length > 0) return undefined;
  const entries = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [bareKey(key), value] as const);
  return Object.fromEntries(entries.filter(([key]) => !key.startsWith('io.cilium.k8s.') && !key.startsWith('io.kubernetes.pod.')));
}

/** Where in a policy a peer is selected without its cluster: dotted paths. */
export function clusterlessSelectors(policy: CiliumNetworkPolicy): string[] {
  return rulesOf(policy).flatMap((rule, index) => {
    const at = rulesOf(policy).length === 1 ? 'spec' : `specs[${index}]`;
    return (['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const).flatMap((direction) =>
      list(rule[direction]).flatMap((entry, number) =>
        (['fromEndpoints', 'toEndpoints'] as const).flatMap((peers) =>
          list(entry[peers]).flatMap((selector, which) => (namesCluster(selector) ? [] : [`${at}.${direction}[${number}].${peers}[${which}]`])),
        ),
      ),
    );
  });
}

function namesCluster({ matchLabels, matchExpressions }: Selector): boolean {
  return [...Object.keys(matchLabels ?? {}), ...(matchExpressions ?? []).map(({ key }) => key ?? '')].some((key) => bareKey(key) === CLUSTER_LABEL);
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What a selector without a cluster means there.
 * @param minor of Cilium; NaN where it is not known
 * @param defaultLocal `policy-default-local-cluster` of cilium-config, where it says
 */
export function clusterlessMeaning(minor: number, defaultLocal: boolean | undefined): string {
  if (defaultLocal ?? minor >= 19) return 'pods of the local cluster only (policy-default-local-cluster)';
  if (Number.isNaN(minor)) return 'pods of all clusters up to Cilium 1.18, of the local one from 1.19 on';
  return 'pods of all clusters of the mesh; from Cilium 1.19 on it would be the local one only';
}
