import type { Lack } from './verdict.js';

/**
 * What the pods of the network probe say: a line a check, in their termination message. `ok KEY`, or `failed KEY WORDS`. Keys: `pods`,
 * `dns`, `api`, `egress=HOST:PORT`.
 */
export interface CheckResult {
  key: string;
  ok: boolean;
  /** The tool's own last words. */
  said: string;
}

/** Who asks: the pod on the old node or the one on the new node. */
export type Side = 'old' | 'new';

export interface Ends {
  old: string | null;
  new: string;
}

const LINE = /^(ok|failed) (\S+) ?(.*)$/;

/** The results in a termination message; what is no result is left out. */
export function parseResults(message: string): CheckResult[] {
  return message.split('\n').flatMap((line) => {
    const match = LINE.exec(line.trim());
    return match === null ? [] : [{ ok: match[1] === 'ok', key: match[2] ?? '', said: match[3] ?? '' }];
  });
}

/** Keys of the checks that a pod makes. */
export function keysOf(ends: Ends, egress: readonly string[]): string[] {
  return [...(ends.old === null ? [] : ['pods']), 'dns', 'api', ...egress.map((target) => `egress=${target}`)];
}

/** What one side lacks. A check without a result has not been made, and so lacks too. */
export function lacksOf(results: readonly CheckResult[], { side, ends, egress, limitSeconds }: { side: Side; ends: Ends; egress: readonly string[]; limitSeconds: number }): Lack[] {
  return keysOf(ends, egress).flatMap((key): Lack[] => {
    const result = results.find((candidate) => candidate.key === key);
    if (result?.ok === true) return [];
    const { title, expected, todo } = describe(key, side, ends);
    const seen = result === undefined ? 'no result' : result.said || 'a failure without a word';
    return [{ object: `Probe network: ${title}`, reason: `expected ${expected}, saw ${seen}`, todo, gist: `${side} ${key}`, limitSeconds }];
  });
}

function describe(key: string, side: Side, ends: Ends): { title: string; expected: string; todo: string } {
  const [from, to] = side === 'old' ? [ends.old ?? '', ends.new] : [ends.new, ends.old ?? ''];
  const on = `on the ${side} node ${from}`;
  switch (key) {
    case 'pods':
      return { title: `pod traffic ${side}-to-${side === 'old' ? 'new' : 'old'}`, expected: `64 KiB from a pod on ${to} to a pod on ${from}`, todo: 'Security groups of the nodes, routes, MTU and NetworkPolicies are the usual causes.' };
    case 'dns':
      return { title: `DNS ${on}`, expected: 'an address for kubernetes.default.svc', todo: 'Look at the pods of the cluster DNS, and whether pods of this node reach them.' };
    case 'api':
      return { title: `API server ${on}`, expected: 'an answer from the service kubernetes', todo: 'Look at how services are reached from this node (kube-proxy, or its replacement).' };
    default:
      return { title: `egress ${on}`, expected: `a TCP connection to ${key.replace(/^egress=/, '')}`, todo: 'Look at masquerading (docs/hazards.md), routes and security groups.' };
  }
}
