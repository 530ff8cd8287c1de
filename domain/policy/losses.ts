import { counted } from '../hazards/finding.js';
import type { PolicyPort } from '../spec/policy.js';
import { bareKey, CLUSTER_LABEL, NAMESPACE_LABEL, selectorText } from './labels.js';
import type { RenderedPolicy } from './render.js';
import { directionsOf, rulesOf } from './selectors.js';

/** What was seen of the pods that a policy selects. */
export interface SelectedPods {
  pods: number;
  /** Policies that select at least one of them already and deny by default in that direction: `NetworkPolicy a/b`. */
  egressDeniedBy: string[];
  ingressDeniedBy: string[];
}

/** Being selected is a default deny: what the pods lose by it, in sentences. */
export function losses({ object }: RenderedPolicy, seen: SelectedPods): string[] {
  const who = `${counted(seen.pods, 'pod')} of ${object.metadata.namespace}`;
  return directionsOf(object).map((direction) => {
    const by = direction === 'egress' ? seen.egressDeniedBy : seen.ingressDeniedBy;
    const peers = allowed(object, direction);
    const but = peers.length === 0 ? '' : ` but ${peers.join('; ')}`;
    if (by.length > 0) return `${who}: ${direction} is denied by default already by ${by.join(', ')}; those allow what they allowed, and this adds ${peers.join('; ') || 'nothing'}`;
    return `${who} lose every ${direction}${but}${direction === 'ingress' ? ' (the kubelet of their own node still reaches them)' : ''}`;
  });
}

interface Entry {
  toEndpoints?: { matchLabels?: Record<string, string> }[];
  fromEndpoints?: { matchLabels?: Record<string, string> }[];
  toPorts?: { ports?: { port: string; protocol?: string }[] }[];
}

function allowed(policy: RenderedPolicy['object'], direction: 'ingress' | 'egress'): string[] {
  return rulesOf(policy).flatMap((rule) =>
    (Array.isArray(rule[direction]) ? (rule[direction] as Entry[]) : []).map((entry) => {
      const peers = (direction === 'egress' ? entry.toEndpoints : entry.fromEndpoints)?.map(({ matchLabels = {} }) => peerText(matchLabels)) ?? [];
      const ports = (entry.toPorts ?? []).flatMap((one) => one.ports ?? []).map(({ port, protocol }) => `${protocol ?? 'ANY'} ${port}`);
      const where = peers.join(', ') || Object.keys(entry).filter((key) => key !== 'toPorts').join(', ') || 'anybody';
      return `${direction === 'egress' ? 'to' : 'from'} ${where}${ports.length > 0 ? ` on ${ports.join(', ')}` : ''}`;
    }),
  );
}

/** `cluster-2/my-server (app=my-server)`. */
function peerText(matchLabels: Record<string, string>): string {
  const bare = Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [bareKey(key), value]));
  const { [CLUSTER_LABEL]: cluster = 'any cluster', [NAMESPACE_LABEL]: namespace = 'the same namespace', ...labels } = bare;
  return `${cluster}/${namespace}${Object.keys(labels).length > 0 ? ` (${selectorText(labels)})` : ''}`;
}

/** `TCP 8080`. */
export function portText({ port, protocol }: PolicyPort): string {
  return `${protocol} ${port}`;
}
