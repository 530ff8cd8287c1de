import type { RollbackPlan } from '../rollback/plan.js';
import type { Situation } from '../rollback/situation.js';
import { findingsMarkdown, findingsText } from './findings.js';
import { labelled, namesOf, nodeRows, rendered, staying, stepText } from './plan.js';
import type { PlanFormat } from './plan.js';
import { columns, count, duration, markdownTable, section } from './text.js';

/** Where the way back begins, for people. */
const BEGINS: Record<Situation, string> = {
  nothing: 'nothing of ciliate is here: there is nothing to roll back',
  untouched: 'no node runs Cilium or has run it: no pod is touched',
  'half-way': 'nodes run Cilium, and aws-node is there',
  removed: 'aws-node is gone and is made again',
};

/**
 * The plan of a rollback, for a person or a program. `json` is stable, keys are only ever added: `version` (1), `ciliate`, and the keys
 * of {@link RollbackPlan}.
 */
export function renderRollbackPlan(plan: RollbackPlan, format: PlanFormat): string {
  return rendered(plan, format, { markdown, text });
}

/** What the gate before-rollback shows to the person who approves: one line each. */
export function rollbackShows(plan: RollbackPlan): string[] {
  return [
    `situation ${plan.situation}: ${BEGINS[plan.situation]}`,
    ...plan.steps.flatMap(({ id, writes }) => (id === 'refresh' ? [] : writes.map((write) => `${id}: ${write}`))),
    `${count(plan.nodes.length, 'node')} to replace, about ${duration(plan.estimate.totalSeconds)} without waits for people`,
    ...(plan.leftAlone.length === 0 ? [] : [`left alone by refresh.leaveAlone: ${namesOf(plan.leftAlone).join(', ')}; the run ends partial, and Cilium stays for them`]),
    ...plan.findings.filter(({ severity }) => severity === 'warning').map(({ id, message }) => `warning ${id}: ${message}`),
  ];
}

function verdict(plan: RollbackPlan): string {
  if (plan.blocked) return `BLOCKED by ${count(plan.findings.filter(({ severity }) => severity === 'blocker').length, 'finding')}. Nothing was written.`;
  if (plan.situation === 'nothing') return 'NOTHING TO DO. Nothing of ciliate is here.';
  return `READY. ${count(plan.nodes.length, 'node')} to replace. Nothing was written.`;
}

function next(plan: RollbackPlan): string {
  if (plan.blocked) return 'Do what each blocker says, then: ciliate rollback -f SPEC --plan';
  return plan.situation === 'nothing' ? 'nothing' : 'ciliate rollback -f SPEC --watch';
}

function facts(plan: RollbackPlan): [string, string][] {
  return [
    ['from', BEGINS[plan.situation]],
    ['chart', `Cilium ${plan.chart.version} from ${plan.chart.source}`],
    ['nodes', `${plan.nodes.length} to replace, ${staying(plan)}`],
    ['estimate', `about ${duration(plan.estimate.totalSeconds)}: ${plan.estimate.basis}`],
    ['digest', plan.digest],
  ];
}

function text(plan: RollbackPlan): string[] {
  return [
    `${plan.migration}, the way back: ${verdict(plan)}`,
    ...section('NEXT', [`  ${next(plan)}`]),
    ...findingsText(plan.findings),
    ...section('PLAN', facts(plan).flatMap(([name, value]) => labelled(name, value))),
    ...section('STEPS', plan.steps.flatMap(stepText)),
    ...section('NODES, in this order', columns(['#', 'NODE', 'INSTANCE', 'GROUP', 'ZONE'], nodeRows(plan))),
    ...section(`LEFT ALONE (${plan.leftAlone.length}), by refresh.leaveAlone`, namesOf(plan.leftAlone).map((name) => `  ${name}`)),
    ...section('LEFT OUT', columns(['NODE', 'WHY'], plan.leftOut.map(({ name, why }) => [name, why]))),
  ];
}

function markdown(plan: RollbackPlan): string[] {
  return [
    `# Way back of ${plan.migration}`,
    '',
    `**${verdict(plan)}**`,
    '',
    `Next: \`${next(plan)}\``,
    ...findingsMarkdown(plan.findings),
    ...section('## Plan', ['', ...markdownTable(['', ''], facts(plan))]),
    ...section('## Steps', ['', ...markdownTable(['#', 'Step', 'Gate', 'Writes'], plan.steps.map((step, index) => [String(index + 1), step.title, step.gate ?? '', step.writes.join('; ')]))]),
    ...(plan.nodes.length === 0 ? [] : section('## Nodes, in this order', ['', ...markdownTable(['#', 'Node', 'Instance', 'Group', 'Zone'], nodeRows(plan))])),
    ...(plan.leftAlone.length === 0 ? [] : section(`## Left alone (${plan.leftAlone.length})`, ['', ...namesOf(plan.leftAlone).map((name) => `- ${name}`)])),
    ...(plan.leftOut.length === 0 ? [] : section('## Left out', ['', ...markdownTable(['Node', 'Why'], plan.leftOut.map(({ name, why }) => [name, why]))])),
  ];
}
