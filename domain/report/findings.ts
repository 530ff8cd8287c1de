import type { Finding, Severity } from '../findings.js';
import { markdownCell, wrap } from './text.js';

const HEADINGS: Record<Severity, string> = { blocker: 'BLOCKERS', warning: 'WARNINGS', info: 'GOOD TO KNOW' };
const ORDER: readonly Severity[] = ['blocker', 'warning', 'info'];

/** Findings by severity, blockers first, as plain text: what, on which objects, what to do. */
export function findingsText(findings: readonly Finding[]): string[] {
  return ORDER.flatMap((severity) => {
    const some = findings.filter((finding) => finding.severity === severity);
    return some.length === 0 ? [] : ['', `${HEADINGS[severity]} (${some.length})`, ...some.flatMap(findingText)];
  });
}

function findingText(finding: Finding): string[] {
  return [
    `  ${finding.id}`,
    ...wrap(finding.message, '    '),
    ...finding.objects.map((object) => `    - ${object}`),
    ...wrap(`To do: ${finding.todo}`, '    '),
  ];
}

/** The same as Markdown. */
export function findingsMarkdown(findings: readonly Finding[]): string[] {
  return ORDER.flatMap((severity) => {
    const some = findings.filter((finding) => finding.severity === severity);
    if (some.length === 0) return [];
    const heading = HEADINGS[severity];
    return ['', `## ${heading[0] ?? ''}${heading.slice(1).toLowerCase()}`, '', ...some.flatMap(findingMarkdown)];
  });
}

function findingMarkdown(finding: Finding): string[] {
  const objects = finding.objects.map((object) => `  - \`${object.replaceAll('`', "'")}\``);
  return [`- **${finding.id}**: ${markdownCell(finding.message)}`, ...objects, `  - To do: ${markdownCell(finding.todo)}`];
}
