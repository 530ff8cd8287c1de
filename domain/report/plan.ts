import { named } from '../hazards/finding.js';
import type { Plan } from '../plan.js';
import { CILIATE_VERSION } from '../version.js';
import { findingsMarkdown, findingsText } from './findings.js';
import { columns, count, duration, jsonPage, markdownTable, page, section, wrap } from './text.js';

export type PlanFormat = 'table' | 'markdown' | 'json';

/**
 * The plan, for a person or a program. `json` is stable, keys are only ever added: `version` (1), `ciliate`, and the keys of
 * {@link Plan}: `migration strategy findings blocked mode steps nodes pods limits leftOut leftAlone chart masquerade values estimate installDigest`.
 */
export function renderPlan(plan: Plan, format: PlanFormat): string {
  return rendered(plan, format, { markdown, text });
}

/** A plan of either way in one of the formats. */
export function rendered<P extends object>(plan: P, format: PlanFormat, { markdown, text }: Record<'markdown' | 'text', (plan: P) => string[]>): string {
  switch (format) {
    case 'json':
      return jsonPage({ version: 1, ciliate: CILIATE_VERSION, ...plan });
    case 'markdown':
      return page(markdown(plan));
    case 'table':
      return page(text(plan));
  }
}

/** What the gate before-install shows to the person who approves: one line each. */
export function installShows(plan: Plan): string[] {
  const { chart, masquerade, findings, leftAlone } = plan;
  return [
    `Cilium ${chart.version} from ${chart.source}, sha256 ${chart.sha256}`,
    `masquerade ${masquerade.enabled ? `on${masquerade.interfaces === undefined ? '' : `, interface ${masquerade.interfaces}`}` : 'off'} (${masquerade.why})`,
    `${count(plan.nodes.length, 'node')} to refresh, ${staying(plan)}, about ${duration(plan.estimate.totalSeconds)} without waits for people`,
    ...(leftAlone.length === 0 ? [] : [`left alone by refresh.leaveAlone: ${namesOf(leftAlone).join(', ')}; the run ends partial, and aws-node stays for them`]),
    ...findings.filter((finding) => finding.severity === 'warning').map((finding) => `warning ${finding.id}: ${finding.message}`),
  ];
}

/** `2 left alone, 0 left out`; the first only where there are some. */
export function staying({ leftAlone, leftOut }: Pick<Plan, 'leftAlone' | 'leftOut'>): string {
  return `${leftAlone.length === 0 ? '' : `${leftAlone.length} left alone, `}${leftOut.length} left out`;
}

/** Names, ten at most and the rest counted. */
export function namesOf(nodes: Plan['leftAlone']): string[] {
  return named(nodes.map(({ name }) => name));
}

/** What the gate before-enforcement shows: what the values of that phase change, by dotted path. */
export function enforcementShows(plan: Plan): string[] {
  const before = flat(plan.values.migration);
  const after = flat(plan.values.enforcement);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path) ?? '(the default)'} -> ${after.get(path) ?? '(the default)'}`);
}

/** Leaves of a map by dotted path; a list is one leaf. */
function flat(values: object, prefix = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(values) as [string, unknown][]) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) for (const leaf of flat(value, path)) leaves.set(...leaf);
    else leaves.set(path, JSON.stringify(value));
  }
  return leaves;
}

function verdict(plan: Plan): string {
  const blockers = plan.findings.filter((finding) => finding.severity === 'blocker').length;
  if (plan.blocked) return `BLOCKED by ${count(blockers, 'finding')}. Nothing was written.`;
  switch (plan.mode) {
    case 'done':
      return 'DONE. Cilium is on every node and aws-node is gone: there is nothing to do.';
    case 'resume':
      return `READY TO GO ON. ${count(plan.nodes.length, 'node')} left to refresh. Nothing was written.`;
    case 'migrate':
      return `READY. ${count(plan.nodes.length, 'node')} to refresh. Nothing was written.`;
  }
}

function next(plan: Plan): string[] {
  if (plan.blocked) return ['Do what each blocker says, then plan again: ciliate plan -f SPEC'];
  return plan.mode === 'done' ? [`ciliate report ${plan.migration}`] : ['ciliate start -f SPEC --watch'];
}

function facts(plan: Plan): [string, string][] {
  const { chart, masquerade, estimate } = plan;
  return [
    ['chart', `Cilium ${chart.version} from ${chart.source}`],
    ['chart sha256', chart.sha256 === '' ? 'unknown' : chart.sha256],
    ['masquerade', `${masquerade.enabled ? `on, interface ${masquerade.interfaces ?? 'any'}` : 'off'}: ${masquerade.why}`],
    ['nodes', `${plan.nodes.length} to refresh, ${staying(plan)}`],
    ['estimate', `about ${duration(estimate.totalSeconds)}: ${estimate.basis}`],
    ['install digest', plan.installDigest],
  ];
}

function text(plan: Plan): string[] {
  return [
    `${plan.migration}: ${verdict(plan)}`,
    ...section('NEXT', next(plan).map((line) => `  ${line}`)),
    ...findingsText(plan.findings),
    ...section('PLAN', facts(plan).flatMap(([name, value]) => labelled(name, value))),
    ...section('STEPS', plan.steps.flatMap(stepText)),
    ...section('NODES, in this order', columns(['#', 'NODE', 'INSTANCE', 'GROUP', 'ZONE'], nodeRows(plan))),
    ...section(`LEFT ALONE (${plan.leftAlone.length}), by refresh.leaveAlone`, namesOf(plan.leftAlone).map((name) => `  ${name}`)),
    ...section('LEFT OUT', columns(['NODE', 'WHY'], plan.leftOut.map(({ name, why }) => [name, why]))),
  ];
}

const LABEL_WIDTH = 16;

export function labelled(name: string, value: string): string[] {
  const [first = '', ...rest] = wrap(value, ' '.repeat(LABEL_WIDTH + 2));
  return [`  ${name.padEnd(LABEL_WIDTH)}${first.trimStart()}`, ...rest];
}

export function stepText(step: Plan['steps'][number], index: number): string[] {
  const unreached = step.unreached === undefined ? '' : `  (not reached: ${step.unreached})`;
  const gate = step.gate === undefined ? unreached : step.id === 'refresh' ? `  [gate ${step.gate}, after its first node]` : `  [gate ${step.gate}, before it]`;
  return [`  ${String(index + 1).padStart(2)} ${step.title}${gate}`, ...step.writes.map((write) => `       - ${write}`)];
}

export function nodeRows(plan: Pick<Plan, 'nodes'>): string[][] {
  return plan.nodes.map((node, index) => [String(index + 1), node.name, node.instanceId, node.group, node.zone]);
}

function markdown(plan: Plan): string[] {
  return [
    `# Plan of ${plan.migration}`,
    '',
    `**${verdict(plan)}**`,
    '',
    ...next(plan).map((line) => `Next: \`${line}\``),
    ...findingsMarkdown(plan.findings),
    ...section('## Plan', ['', ...markdownTable(['', ''], facts(plan))]),
    ...section('## Steps', ['', ...markdownTable(['#', 'Step', 'Gate', 'Writes'], plan.steps.map((step, index) => [String(index + 1), step.title, step.gate ?? '', step.unreached === undefined ? step.writes.join('; ') : `not reached: ${step.unreached}`]))]),
    ...(plan.nodes.length === 0 ? [] : section('## Nodes, in this order', ['', ...markdownTable(['#', 'Node', 'Instance', 'Group', 'Zone'], nodeRows(plan))])),
    ...(plan.leftAlone.length === 0 ? [] : section(`## Left alone (${plan.leftAlone.length})`, ['', ...namesOf(plan.leftAlone).map((name) => `- ${name}`)])),
    ...(plan.leftOut.length === 0 ? [] : section('## Left out', ['', ...markdownTable(['Node', 'Why'], plan.leftOut.map(({ name, why }) => [name, why]))])),
  ];
}
