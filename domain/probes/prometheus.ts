import { z } from 'zod';
import type { PrometheusProbeSpec } from '../spec/probes.js';
import type { Answer, Complaint } from './answer.js';

const sample = z.tuple([z.number(), z.string()]);
/** https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries */
const answerSchema = z.union([
  z.object({ status: z.literal('error'), errorType: z.string().optional(), error: z.string() }),
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: sample })) }),
      z.object({ resultType: z.literal('scalar'), result: sample }),
    ]),
  }),
]);

interface Series {
  name: string;
  value: string;
}

/** Series in a complaint before the rest is counted. */
const NAMED = 3;

/** What is wrong with an answer; null where it is as expected. */
export function judgePrometheus({ expect }: Pick<PrometheusProbeSpec, 'expect'>, answer: Answer): Complaint | null {
  const parsed = answerSchema.safeParse(parseJson(answer.text));
  if (!parsed.success) {
    return { expected: 'an instant vector or a scalar of the Prometheus API', seen: `status ${answer.status} with ${JSON.stringify(answer.text.slice(0, 80))}`, gist: `status ${answer.status}` };
  }
  if (parsed.data.status === 'error') return { expected: 'an answer to the query', seen: `${parsed.data.errorType ?? 'error'}: ${parsed.data.error}`, gist: 'error' };
  const { data } = parsed.data;
  const series = data.resultType === 'scalar' ? [{ name: 'the scalar', value: data.result[1] }] : data.result.map(({ metric, value }) => ({ name: seriesName(metric), value: value[1] }));
  return expect === 'empty' ? judgeEmpty(series) : judgePositive(series);
}

function judgeEmpty(series: Series[]): Complaint | null {
  return series.length === 0 ? null : { expected: 'no series', seen: shown(series), gist: 'series' };
}

function judgePositive(series: Series[]): Complaint | null {
  const expected = 'at least one series, and every value above 0';
  if (series.length === 0) return { expected, seen: 'no series', gist: 'none' };
  // NaN is not above 0 either.
  const wrong = series.filter(({ value }) => !(numberOf(value) > 0));
  return wrong.length === 0 ? null : { expected, seen: shown(wrong), gist: 'value' };
}

/** As Prometheus writes numbers. */
function numberOf(value: string): number {
  return value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
}

function shown(series: Series[]): string {
  const more = series.length > NAMED ? ` and ${series.length - NAMED} more` : '';
  return `${series.slice(0, NAMED).map(({ name, value }) => `${name} = ${value}`).join(', ')}${more}`;
}

function seriesName({ __name__ = '', ...labels }: Record<string, string>): string {
  return `${__name__}{${Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
