import type { Finding, Severity } from '../findings.js';
import type { PodName } from '../observation.js';

/** What a hazard says about itself each time. */
export interface FindingText {
  objects?: string[];
  message: string;
  todo: string;
}

const NAMED = 10;

/** A finding with its objects sorted, at most ten named and the rest counted. */
export function finding(id: string, severity: Severity, text: FindingText): Finding {
  return { id, severity, objects: named(text.objects ?? []), message: text.message, todo: text.todo };
}

/** At most ten, the rest as `and N more`. */
export function named(objects: readonly string[]): string[] {
  const sorted = [...new Set(objects)].sort();
  const rest = sorted.length - NAMED;
  return rest > 0 ? [...sorted.slice(0, NAMED), `and ${rest} more`] : sorted;
}

/** `Pod shop/cart-7d9f`. */
export function podNames(pods: readonly PodName[]): string[] {
  return pods.map((pod) => `Pod ${pod.namespace}/${pod.name}`);
}

/** `1 pod`, `3 pods`, `1 address`, `2 addresses`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}${/(s|x|ch|sh)$/.test(noun) ? 'es' : 's'}`;
}
