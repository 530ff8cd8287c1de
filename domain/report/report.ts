import { NODE_OUTCOMES, NODE_STEPS } from '../refresh.js';
import { NODE_PAGES } from '../names.js';
import type { NodeResult } from '../refresh.js';
import type { MigrationReport, RunState } from '../status.js';
import { findingsMarkdown } from './findings.js';
import { between, count, duration, instant, jsonPage, markdownTable, page, section } from './text.js';

export type ReportFormat = 'markdown' | 'json';

/**
 * The report: what happened to each node, when, how long each step took, who approved what. `json` is {@link MigrationReport} as
 * it is: `version` (1) and keys that are only ever added.
 */
export function renderReport(report: MigrationReport, format: ReportFormat): string {
  return format === 'json' ? jsonPage(report) : page(markdown(report));
}

const SENTENCE: Record<RunState, string> = {
  running: 'It is still running.',
  paused: 'It is paused.',
  'waiting-approval': 'It waits for an approval.',
  aborting: 'It is being aborted.',
  done: 'Every node is on Cilium and aws-node is gone.',
  partial: 'Some nodes are still on aws-node, which stays for them. The same `ciliate start` goes on from there.',
  failed: 'It failed; guards are given back. The same `ciliate start` goes on from where the cluster is.',
  aborted: 'It was aborted; guards are given back. The same `ciliate start` goes on from where the cluster is.',
};

/** What is another sentence at the end of a rollback. */
const SENTENCE_BACK: Partial<Record<RunState, string>> = {
  done: 'Every node is on aws-node, which is as it was before the migration, and Cilium is gone.',
  partial: 'Some nodes are still on Cilium, which stays for them. The same `ciliate rollback` goes on from there; `ciliate start` goes forward again.',
  failed: 'The rollback failed; guards are given back. The same `ciliate rollback` goes on from where the cluster is; `ciliate start` goes forward again.',
  aborted: 'The rollback was aborted; guards are given back. The same `ciliate rollback` goes on from where the cluster is; `ciliate start` goes forward again.',
};

function markdown(report: MigrationReport): string[] {
  return [
    `# Migration of ${report.migration} to Cilium: ${report.state}`,
    '',
    (report.toward === 'aws-node' ? SENTENCE_BACK[report.state] : undefined) ?? SENTENCE[report.state],
    ...(report.problem === null ? [] : ['', `> ${report.problem.replaceAll('\n', ' ')}`]),
    ...block('## In short', markdownTable(['', ''], facts(report))),
    ...block('## What was proven', list(report.proofs)),
    ...block('## What was left, and to whom', list(report.notes)),
    ...block('## Steps', markdownTable(['Step', 'Started', 'Took', 'Note'], phaseRows(report))),
    ...block('## Nodes', markdownTable(['#', 'Node', 'Zone', 'Outcome', 'Replaced by', 'Started', 'Took', 'Pods evicted'], nodeRows(report))),
    ...filedText(report),
    ...block('## How long each step of a node took (seconds)', secondsTable(report.nodes)),
    ...block('## Who said what', markdownTable(['When', 'Who', 'Verb', 'On', 'Reason', 'Digest'], auditRows(report))),
    ...findingsMarkdown(report.findings).map((line) => line.replace(/^## /, '## Findings: ')),
    ...block('## Final Helm values', report.finalValues === null ? [] : ['For your own GitOps:', '', ...fenced(report.finalValues)]),
    '',
    `ciliate ${report.ciliate}, workflow \`${report.workflowId}\``,
  ];
}

/** A section with a blank line after its heading, or nothing. */
function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : section(title, ['', ...lines]);
}

function list(lines: readonly string[]): string[] {
  return lines.map((line) => `- ${line.replaceAll('\n', ' ')}`);
}

/** A fence longer than any in the text itself. */
function fenced(yaml: string): string[] {
  const longest = Math.max(2, ...[...yaml.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}yaml`, yaml.trimEnd(), fence];
}

function facts(report: MigrationReport): [string, string][] {
  const outcomes = NODE_OUTCOMES.flatMap((outcome) => ((report.tally[outcome] ?? 0) > 0 ? [`${report.tally[outcome]} ${outcome}`] : []));
  const took = report.endedAt === null ? 'not over yet' : `${instant(report.endedAt)} (${between(report.startedAt, report.endedAt)})`;
  const average = report.nodes.reduce((sum, node) => sum + secondsOf(node), 0) / Math.max(1, report.nodes.length);
  return [
    ['started', instant(report.startedAt)],
    ['ended', took],
    ['Cilium', `${report.cilium.version}, chart sha256 ${report.cilium.chartSha256}`],
    ['nodes now', `${report.counts.cilium} on Cilium, ${report.counts.aws} on aws-node, ${report.counts.pending} booting`],
    ['nodes refreshed', outcomes.join(', ') || 'none'],
    ...(report.nodes.length === 0 ? [] : [['time a node', `${duration(average)} on average over ${count(report.nodes.length, 'node')}`] satisfies [string, string]]),
  ];
}

/** Where the older results are, when this report was made without them. */
function filedText({ filed, nodes, tally }: MigrationReport): string[] {
  const missing = NODE_OUTCOMES.reduce((sum, outcome) => sum + (tally[outcome] ?? 0), 0) - nodes.length;
  if (filed === null || missing <= 0) return [];
  return ['', `${count(missing, 'older result')} stand in ConfigMaps kube-system/${NODE_PAGES}-${filed.run}-1 to -${filed.pages}: with a worker running, \`ciliate report\` reads them too.`];
}

function secondsOf(node: NodeResult): number {
  const seconds = (Date.parse(node.endedAt) - Date.parse(node.startedAt)) / 1000;
  return Number.isFinite(seconds) ? seconds : 0;
}

function phaseRows(report: MigrationReport): string[][] {
  return report.phases.map((phase) => [
    phase.phase,
    instant(phase.startedAt),
    phase.endedAt === undefined ? 'not over' : between(phase.startedAt, phase.endedAt),
    phase.note ?? '',
  ]);
}

function nodeRows(report: MigrationReport): string[][] {
  return report.nodes.map((result, index) => [
    String(index + 1),
    `${result.node.name} (${result.node.instanceId})`,
    result.node.zone,
    result.why === undefined ? result.outcome : `${result.outcome}: ${result.why}`,
    result.replacement === undefined ? '' : `${result.replacement.name} (${result.replacement.instanceId}, ${result.replacement.zone})`,
    instant(result.startedAt),
    between(result.startedAt, result.endedAt),
    String(result.evictedPods),
  ]);
}

function secondsTable(nodes: readonly NodeResult[]): string[] {
  const used = NODE_STEPS.filter((step) => nodes.some((node) => node.seconds[step] !== undefined));
  if (used.length === 0) return [];
  const rows = nodes.map((node) => [node.node.name, ...used.map((step) => rounded(node.seconds[step]))]);
  return markdownTable(['Node', ...used], rows);
}

function rounded(seconds: number | undefined): string {
  return seconds === undefined ? '' : String(Math.round(seconds * 10) / 10);
}

function auditRows(report: MigrationReport): string[][] {
  return report.audit.map((entry) => [
    instant(entry.at),
    entry.by,
    entry.ignored === undefined ? entry.verb : `${entry.verb} (ignored: ${entry.ignored})`,
    [entry.on ?? '', ...(entry.pods ?? [])].join(' '),
    entry.reason,
    entry.digest?.slice(0, 12) ?? '',
  ]);
}
