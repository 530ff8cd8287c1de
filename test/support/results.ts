import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { CILIATE_VERSION } from '../../domain/version.js';

export interface Results {
  title: string;
  /** Paragraph before the table: what was done, and what it does not show. */
  about: string[];
  rows: Record<string, string | number>[];
  /** A file beside it that shows the same. */
  plot?: string;
  /** What the plot is drawn from; JSON only. */
  lines?: object[];
}

export function resultsFolder(): string {
  const folder = fileURLToPath(new URL('../../docs/results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What was written there last; undefined where nothing was, or nothing that can be read. */
export function readResults(name: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(`${resultsFolder()}${name}.json`, 'utf8')) as Results;
  } catch {
    return undefined;
  }
}

/** Writes docs/results/NAME.md and .json: what a whole matrix or a benchmark saw, committed with the code that it is about. */
export function writeResults(name: string, result: Results): void {
  const folder = resultsFolder();
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const at = new Date().toISOString();
  const columns = Object.keys(result.rows[0] ?? {});
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  const text = [
    `# ${result.title}`,
    '',
    `ciliate ${CILIATE_VERSION}, ${at}, ${machine}.`,
    '',
    ...result.about,
    '',
    ...(result.plot ? [`![${result.title}](${result.plot})`, ''] : []),
    line(columns),
    line(columns.map(() => '---')),
    ...result.rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
    '',
  ];
  writeFileSync(`${folder}${name}.md`, text.join('\n'));
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify({ version: CILIATE_VERSION, at, machine, ...result }, null, 2)}\n`);
}
