import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { NodePageRequest } from '../../activities/api.js';
import { READ_NODE_PAGE, TASK_QUEUE } from '../../domain/names.js';
import type { NodeResult } from '../../domain/refresh.js';
import { renderNodes } from '../../domain/report/index.js';
import type { StatusFormat } from '../../domain/report/index.js';
import { joined, PAGE_SIZE } from '../../domain/results.js';
import type { MigrationReport } from '../../domain/status.js';
import { failedError, unreachableError } from '../exit.js';
import { startedWith } from '../release/manifest.js';
import { ANSWER_MS } from './handle.js';
import type { Run } from './handle.js';
import { readReport } from './status.js';

/** How long a worker may take to read one page. */
const PAGE_MS = 4 * ANSWER_MS;
/** Pages read side by side. */
const AT_ONCE = 8;

/** The report with the results that were filed in the cluster; as it is where no worker can read them. */
export async function withFiled(client: Client, run: Run, report: MigrationReport | undefined): Promise<MigrationReport | undefined> {
  if (!report?.filed) return report;
  const pages: NodeResult[][] = [];
  for (let first = 1; first <= report.filed.pages; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, report.filed.pages - first + 1) }, (_, index) => first + index);
    const read = await Promise.all(numbers.map((page) => readPage(client, run, { run: report.filed?.run ?? '', page })));
    if (read.some((page) => page === undefined)) {
      console.error('no worker answered: the older results stand in the cluster and are left out here');
      return report;
    }
    pages.push(...read.map((page) => page ?? []));
  }
  return { ...report, nodes: joined(pages, report.nodes) };
}

/**
 * One page of the nodes that are done: those filed first, then what the run still has.
 * @throws ExitError 1 when there is no such page, 3 when no worker answers
 */
export async function showPage(client: Client, run: Run, { page, format }: { page: number; format: StatusFormat }): Promise<string> {
  const report = await readReport(client, run);
  if (report === undefined) throw unreachableError(`no worker answers for ${run.migration}: start one with \`ciliate worker\``);
  const filed = report.filed?.pages ?? 0;
  const rest = Math.max(1, Math.ceil(report.nodes.length / PAGE_SIZE));
  const pages = filed + rest;
  if (page > pages) throw failedError(`--page: expected a page from 1 to ${pages}, saw ${page}`);
  const at = (page - filed - 1) * PAGE_SIZE;
  const nodes = page > filed ? report.nodes.slice(at, at + PAGE_SIZE) : await readPage(client, run, { run: report.filed?.run ?? '', page });
  if (nodes === undefined) throw unreachableError(`no worker read page ${page}: it stands in the cluster, in kube-system`);
  if (nodes === null) throw failedError(`page ${page} is not in the cluster any more: a later run has dropped it`);
  return renderNodes({ page, pages, nodes }, format);
}

/** Undefined: no worker answered. Null: there is no such page. */
async function readPage(client: Client, run: Run, { run: of, page }: Omit<NodePageRequest, 'cluster'>): Promise<NodeResult[] | null | undefined> {
  const { spec } = await startedWith(client, run);
  try {
    return (await client.workflow.execute(READ_NODE_PAGE, {
      taskQueue: run.description.taskQueue || TASK_QUEUE,
      workflowId: `${run.description.workflowId}/page/${page}/${randomUUID()}`,
      args: [{ cluster: spec.cluster, run: of, page } satisfies NodePageRequest],
      workflowExecutionTimeout: PAGE_MS,
      followRuns: false,
    })) as NodeResult[] | null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    // Nobody took it in time; anything else is the worker's own word.
    if (error.cause instanceof TimeoutFailure) return undefined;
    throw failedError(`page ${page} cannot be read: ${saidBy(error)}`);
  }
}

/** The innermost reason: what the activity said. */
function saidBy(error: Error): string {
  return error.cause instanceof Error ? saidBy(error.cause) : error.message;
}
