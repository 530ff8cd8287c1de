import type { HttpProbeSpec } from '../spec/probes.js';
import type { Answer, Complaint } from './answer.js';

/** What is wrong with an answer; null where it is as expected. */
export function judgeHttp({ status, body }: Pick<HttpProbeSpec, 'status' | 'body'>, answer: Answer): Complaint | null {
  const expected = status === undefined ? 'a status from 200 to 299' : `status ${status}`;
  const fits = status === undefined ? answer.status >= 200 && answer.status < 300 : answer.status === status;
  if (!fits) return { expected, seen: `status ${answer.status}`, gist: String(answer.status) };
  if (body === undefined || new RegExp(body).test(answer.text)) return null;
  return { expected: `a body that matches /${body}/`, seen: `${answer.text.length} characters that do not`, gist: 'body' };
}
