import { structuredPatch } from 'diff';
import { stringify } from 'yaml';
import type { Finding } from '../../domain/findings.js';
import { findingsText } from '../../domain/report/index.js';
import type { PolicyResult, PolicySeen } from '../../domain/policy/run.js';
import { CILIATE_VERSION } from '../../domain/version.js';

/** A result as text, or as stable JSON (domain/policy/run.ts, with `ciliate`). */
export function renderPolicyResult(result: PolicyResult, format: 'table' | 'json'): string {
  if (format === 'json') return `${JSON.stringify({ ciliate: CILIATE_VERSION, ...result }, null, 2)}\n`;
  const lines = [
    `${result.policy}: ${result.verb} ${result.state}${result.problem === null ? '' : `: ${result.problem}`}`,
    ...result.clusters.flatMap((seen) => ['', ...clusterLines(seen)]),
    ...(result.paths.length === 0 ? [] : ['', 'paths:']),
    ...result.paths.map(({ path, expected, verdict, why }) => `  ${verdict.padEnd(8)} ${path}: expected ${expected}, ${why}`),
    ...findings(result.clusters),
  ];
  return `${lines.join('\n')}\n`;
}

function clusterLines(seen: PolicySeen): string[] {
  const what = seen.done ?? { absent: 'not there', same: 'there, as it should be', differs: 'there, but different', foreign: 'there, not ours' }[seen.state];
  const pods = seen.pods === null ? '' : `, selects ${seen.pods} pod${seen.pods === 1 ? '' : 's'}`;
  return [
    `${seen.cluster}: CiliumNetworkPolicy ${seen.namespace}/${seen.name} (${seen.direction}): ${what}${pods}`,
    ...diffLines(seen).map((line) => `    ${line}`),
    ...seen.losses.map((line) => `  ${line}`),
  ];
}

/** What changes, as `diff -u` shows it; nothing where the two are equal. */
function diffLines({ before, after, done }: PolicySeen): string[] {
  if (done === 'removed' || done === 'nothing') return [];
  const text = (value: unknown): string => (value === null ? '' : stringify(value));
  const { hunks } = structuredPatch('before', 'after', text(before), text(after), '', '', { context: 3 });
  return hunks.flatMap((hunk) => hunk.lines.filter((line) => !line.startsWith('\\')));
}

function findings(clusters: readonly PolicySeen[]): string[] {
  const all: Finding[] = clusters.flatMap((seen) => seen.findings);
  return all.length === 0 ? [] : ['', ...findingsText(all)];
}
