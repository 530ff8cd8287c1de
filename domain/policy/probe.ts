import type { PolicyPort } from '../spec/policy.js';

/** Which probe pod: one that the policy selects, or one of the same namespace that it does not. */
export const PROBES = ['selected', 'control'] as const;
export type Probe = (typeof PROBES)[number];

/** Where a probe pod goes: a server pod at the allowed port, or a place that answers and that the policy does not allow. */
export const PLACES = ['server', 'elsewhere'] as const;
export type Place = (typeof PLACES)[number];

export interface Address {
  ip: string;
  port: number;
}

/** `open`: connected; `refused`: somebody answered, nobody listens; `closed`: no answer within the time. */
export const OUTCOMES = ['open', 'refused', 'closed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What each probe pod found; a probe that said nothing has no entry. */
export type ProbeResults = Partial<Record<Probe, Partial<Record<Place, Outcome>>>>;

/** What was shown of one path. */
export interface PathVerdict {
  path: string;
  expected: 'open' | 'closed';
  verdict: 'proven' | 'failed' | 'unproven';
  why: string;
}

/** Seconds that one connection attempt may take. */
const ATTEMPT_SECONDS = 5;

/**
 * What a probe pod runs: bash and timeout of the agents' image, no registry besides. One line a place goes to the termination
 * message, behind a word that only this run knows: a pod that never ran anything cannot have said it.
 */
export function probeScript(nonce: string, places: Partial<Record<Place, Address>>): string {
  const lines = PLACES.flatMap((place) => {
    const address = places[place];
    return address === undefined ? [] : [`probe ${place} ${address.ip} ${address.port}`];
  });
  return [
    'probe() {',
    `  said=$(timeout ${ATTEMPT_SECONDS} bash -c "exec 3<>/dev/tcp/$2/$3" 2>&1) && found=open || found=closed`,
    '  case "$said" in *refused*) found=refused ;; esac',
    `  echo "${nonce} $1 $found" >> "\${RESULT:-/dev/termination-log}"`,
    '}',
    ...lines,
  ].join('\n');
}

/** What a probe pod left in its termination message; places that it did not speak of are absent. */
export function readProbe(nonce: string, message: string | undefined): Partial<Record<Place, Outcome>> {
  const entries = (message ?? '').split('\n').flatMap((line) => {
    const [word, place, outcome] = line.trim().split(' ');
    const known = PLACES.find((candidate) => candidate === place);
    const found = OUTCOMES.find((candidate) => candidate === outcome);
    return word === nonce && known !== undefined && found !== undefined ? [[known, found] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The first port that can be probed: a connection that is accepted shows something for TCP only. */
export function probedPort(ports: readonly PolicyPort[]): PolicyPort | undefined {
  return ports.find(({ protocol }) => protocol === 'TCP');
}

export interface PathNames {
  from: string;
  to: string;
  /** The place beside the policy, e.g. `CoreDNS 10.0.3.4:8181`; null where none was found. */
  elsewhere: string | null;
}

/** What the results show, each path for itself; nothing is taken for granted that no probe said. */
export function verdicts(results: ProbeResults, { from, to, elsewhere }: PathNames): PathVerdict[] {
  const { selected = {}, control = {} } = results;
  const other = elsewhere ?? 'anywhere else';
  return [
    allowed(`${from} to ${to}`, selected.server),
    refused(`a pod without its labels to ${to}`, { probe: control.server, proof: selected.server, proofName: `a pod of ${from}` }),
    refused(`${from} to ${other}`, { probe: selected.elsewhere, proof: control.elsewhere, proofName: 'a pod without its labels' }),
  ];
}

function allowed(path: string, probe: Outcome | undefined): PathVerdict {
  const base = { path, expected: 'open' } as const;
  switch (probe) {
    case undefined:
      return { ...base, verdict: 'unproven', why: SILENT };
    case 'open':
      return { ...base, verdict: 'proven', why: 'connected' };
    case 'refused':
      return { ...base, verdict: 'failed', why: 'answered, but nobody listens on that port' };
    case 'closed':
      return { ...base, verdict: 'failed', why: 'no answer' };
  }
}

const SILENT = 'the probe pod gave no result: it could not run';

/** Silence proves a refusal only where somebody else is answered by the very same place. */
function refused(path: string, { probe, proof, proofName }: { probe: Outcome | undefined; proof: Outcome | undefined; proofName: string }): PathVerdict {
  const base = { path, expected: 'closed' } as const;
  if (probe === undefined) return { ...base, verdict: 'unproven', why: SILENT };
  if (probe !== 'closed') return { ...base, verdict: 'failed', why: probe === 'open' ? 'connected' : 'it was answered (nobody listens there, but the way is open)' };
  if (proof === 'open') return { ...base, verdict: 'proven', why: `no answer, where ${proofName} is answered` };
  return { ...base, verdict: 'unproven', why: `no answer, but ${proofName} has none either: the place may be dead` };
}

/** The verdict of a verification as a whole. */
export function overall(paths: readonly PathVerdict[]): 'proven' | 'failed' | 'unproven' {
  if (paths.some(({ verdict }) => verdict === 'failed')) return 'failed';
  return paths.length > 0 && paths.every(({ verdict }) => verdict === 'proven') ? 'proven' : 'unproven';
}
