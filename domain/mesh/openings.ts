import type { Exposure } from '../spec/mesh.js';
import { covers, parseCidr } from './cidr.js';
import type { IngressRule } from './observed.js';
import { ETCD_PORT, NODE_PORT } from './values.js';

/** Something that must be let in from the other clusters. */
export interface Opening {
  what: string;
  protocol: 'tcp' | 'udp' | 'icmp' | '-1';
  port: number | null;
}

/** What nodes (and pods, whose interfaces have the nodes' groups) must let in: cilium-on-eks 5.1. */
export function openings(expose: Exposure): Opening[] {
  const etcd = expose === 'nlb' ? ETCD_PORT : NODE_PORT;
  return [
    { what: `TCP ${etcd} (clustermesh-apiserver)`, protocol: 'tcp', port: etcd },
    { what: 'TCP 4240 (health checks of the agents)', protocol: 'tcp', port: 4240 },
    { what: 'ICMP echo (health checks of the agents)', protocol: 'icmp', port: null },
    { what: 'every port of pods', protocol: '-1', port: null },
  ];
}

/** `missing`: no rule can let it in; `unknown`: rules that name groups or prefix lists may. */
export interface ClosedOpening {
  what: string;
  from: string;
  verdict: 'missing' | 'unknown';
}

/** What the rules of one node's groups do not let in from these networks. A rule for all protocols lets in everything. */
export function closedOpenings(rules: readonly IngressRule[], networks: readonly string[], expose: Exposure): ClosedOpening[] {
  return openings(expose).flatMap((opening) =>
    networks.flatMap((from): ClosedOpening[] => {
      const fitting = rules.filter((rule) => fits(rule, opening));
      if (fitting.some(({ cidrs }) => cidrs.some((cidr) => includes(cidr, from)))) return [];
      return [{ what: opening.what, from, verdict: fitting.some(({ references }) => references.length > 0) ? 'unknown' : 'missing' }];
    }),
  );
}

function fits({ protocol, from, to }: IngressRule, opening: Opening): boolean {
  if (protocol === '-1') return true;
  if (protocol !== opening.protocol) return false;
  // For ICMP the "ports" are type and code: -1 is all, 8 is echo.
  if (protocol === 'icmp') return from === null || from === -1 || from === 8;
  return opening.port !== null && (from ?? 0) <= opening.port && opening.port <= (to ?? 65_535);
}

function includes(rule: string, from: string): boolean {
  const [outer, inner] = [parseCidr(rule), parseCidr(from)];
  return outer !== undefined && inner !== undefined && covers(outer, inner);
}
