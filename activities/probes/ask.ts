import { asyncLocalStorage } from '@temporalio/activity';
import { readFile } from 'node:fs/promises';
import { CiliateError } from '../../domain/failures.js';
import type { Answer, Complaint } from '../../domain/probes/answer.js';

/** Of a body, so much is read. */
const BODY_BYTES = 65_536;

export interface Question {
  url: string;
  headersFrom: Record<string, string>;
  timeoutSeconds: number;
}

/**
 * GET with a limit, by Node's own fetch (proxies: NODE_USE_ENV_PROXY, certificates: NODE_EXTRA_CA_CERTS). No answer is a complaint,
 * not an error.
 *
 * @throws CiliateError Permanent `ProbeHeader` where a header's value is not to be had
 */
export async function ask({ url, headersFrom, timeoutSeconds }: Question): Promise<Answer | Complaint> {
  const headers = await headersOf(headersFrom);
  const cancelled = asyncLocalStorage.getStore()?.cancellationSignal;
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: cancelled === undefined ? timeout : AbortSignal.any([timeout, cancelled]) });
    return { status: response.status, text: await beginning(response) };
  } catch (error) {
    cancelled?.throwIfAborted();
    return { expected: `an answer within ${timeoutSeconds} s`, seen: timeout.aborted ? 'none' : rootMessage(error), gist: 'none' };
  }
}

export function isComplaint(answer: Answer | Complaint): answer is Complaint {
  return 'expected' in answer;
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size >= BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8');
}

async function headersOf(from: Record<string, string>): Promise<Record<string, string>> {
  const pairs = await Promise.all(Object.entries(from).map(async ([header, variable]) => [header, await secret(header, variable)] as const));
  return Object.fromEntries(pairs);
}

/** A file is read anew each time: tokens that are mounted are rotated. The value is in no message. */
async function secret(header: string, variable: string): Promise<string> {
  const file = process.env[`${variable}_FILE`];
  const value = file ? await readFile(file, 'utf8').catch((cause: unknown) => Promise.reject(missing(header, `no readable file ${file}`, cause))) : process.env[variable];
  if (!value?.trim()) throw missing(header, `none in ${variable} or the file that ${variable}_FILE names`);
  if (/[^\t\x20-\x7e]/.test(value.trim())) throw missing(header, `a value in ${variable} that no header can have`);
  return value.trim();
}

function missing(header: string, seen: string, cause?: unknown): CiliateError {
  const text = { object: `spec.probes: header ${header}`, expected: 'its value in the environment of the worker', seen, todo: 'Set it on every worker, restart them, then retry.' };
  return new CiliateError('Permanent', text, { code: 'ProbeHeader', cause });
}

/** fetch says only "fetch failed"; why is in its cause. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof AggregateError) return error.cause.errors.map(rootMessage).join(', ');
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
