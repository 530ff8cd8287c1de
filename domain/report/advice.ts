import type { Advice, AdviceRow, FoundHazard } from '../advice.js';
import { labelled, rendered } from './plan.js';
import type { PlanFormat } from './plan.js';
import { columns, count, markdownCell, markdownTable, section, wrap } from './text.js';

/**
 * The three strategies side by side. `json` is stable, keys are only ever added: `version` (1), `ciliate`, `migration`, `chosen`,
 * `recommended`, `why`, `rows`.
 */
export function renderAdvice(advice: Advice, format: PlanFormat): string {
  return rendered(advice, format, { markdown, text });
}

const HEADER = ['STRATEGY', 'HERE', 'NODES REPLACED', 'PODS MOVED OR RESTARTED', 'ESTIMATE'];

function text(advice: Advice): string[] {
  return [
    ...wrap(`${advice.migration}: three ways to Cilium, from one look at the cluster. Nothing was written.`, ''),
    '',
    ...columns(HEADER, advice.rows.map((row) => costs(advice, row))),
    ...section('BLOCKERS', advice.rows.flatMap(({ strategy, blockers }) => labelled(strategy, hazards(blockers)))),
    ...section('WARNINGS', advice.rows.flatMap(({ strategy, warnings }) => labelled(strategy, hazards(warnings)))),
    ...advice.rows.flatMap((row) => section(heading(row), row.cannot.flatMap(({ id, text: says }) => labelled(id, ` ${says}`)))),
    '',
    ...wrap(NEXT, ''),
    ...wrap(ending(advice), ''),
  ];
}

function markdown(advice: Advice): string[] {
  const header = ['Strategy', 'Here', 'Nodes replaced', 'Pods moved or restarted', 'Estimate', 'Blockers', 'Warnings'];
  const rows = advice.rows.map((row) => [...costs(advice, row), hazards(row.blockers), hazards(row.warnings)]);
  return [
    `# Ways to Cilium for ${advice.migration}`,
    '',
    ...markdownTable(header, rows),
    ...advice.rows.flatMap((row) => section(`## ${heading(row)}`, row.cannot.length === 0 ? [] : ['', ...row.cannot.map(({ id, text: says }) => `- **${id}**: ${markdownCell(says)}`)])),
    '',
    NEXT,
    '',
    `**${ending(advice)}**`,
  ];
}

const NEXT = 'What each finding means, and each step: set spec.strategy, then ciliate plan -f SPEC';

function costs({ chosen }: Advice, { strategy, blocked, mode, cost, blockers }: AdviceRow): string[] {
  const here = blocked ? `BLOCKED by ${count(total(blockers), 'finding')}` : { migrate: 'READY', resume: 'READY TO GO ON', done: 'DONE' }[mode];
  return [strategy === chosen ? `${strategy} (in the spec)` : strategy, here, String(cost.nodes), String(cost.pods), `about ${cost.minutes} min`];
}

function heading({ strategy }: AdviceRow): string {
  return strategy === 'chain' ? 'What chain cannot do here' : `Why ${strategy} is refused here`;
}

function hazards(found: readonly FoundHazard[]): string {
  return found.length === 0 ? 'none' : found.map(({ id, count: times }) => (times === 1 ? id : `${id} (${times})`)).join(', ');
}

function total(found: readonly FoundHazard[]): number {
  return found.reduce((sum, { count: times }) => sum + times, 0);
}

function ending({ why }: Advice): string {
  return `What we would do: ${why}.`;
}
