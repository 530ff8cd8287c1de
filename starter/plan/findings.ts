import type { Plan } from '../../domain/plan.js';
import { findingsMarkdown, findingsText } from '../../domain/report/index.js';
import { CILIATE_VERSION } from '../../domain/version.js';

/** The findings of a plan. `json` is stable: `version` (1), `ciliate`, `migration`, `blocked`, `mode`, `findings`; keys are only ever added. */
export function renderFindings({ migration, blocked, mode, findings }: Plan, format: 'table' | 'json' | 'markdown'): string {
  const blockers = findings.filter((finding) => finding.severity === 'blocker').length;
  const verdict = blocked ? `${migration}: BLOCKED by ${blockers} finding${blockers === 1 ? '' : 's'}` : `${migration}: no blockers${mode === 'done' ? '; nothing is left to migrate' : ''}`;
  switch (format) {
    case 'json':
      return `${JSON.stringify({ version: 1, ciliate: CILIATE_VERSION, migration, blocked, mode, findings }, null, 2)}\n`;
    case 'markdown':
      return `${[`# Preflight of ${migration}`, '', verdict, ...findingsMarkdown(findings)].join('\n')}\n`;
    case 'table':
      return `${[verdict, ...findingsText(findings)].join('\n')}\n`;
  }
}
