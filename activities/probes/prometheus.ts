import { judgePrometheus } from '../../domain/probes/prometheus.js';
import { lackOf } from '../../domain/probes/lack.js';
import type { Lack } from '../../domain/probes/verdict.js';
import type { PrometheusProbeSpec } from '../../domain/spec/probes.js';
import { ask, isComplaint } from './ask.js';
import type { Probe } from './probe.js';

/** Instant queries that must hold, asked by the worker. */
export const prometheusProbe: Probe<'prometheus'> = {
  kind: 'prometheus',
  pass: async (_context, specs) => ({ lacks: await lacksOf(specs), notes: [] }),
  trial: (_clients, specs) => lacksOf(specs),
};

async function lacksOf(specs: PrometheusProbeSpec[]): Promise<Lack[]> {
  const lacks = specs.map(async (spec) => {
    const answer = await ask({ ...spec, url: queryUrl(spec.url, spec.query) });
    const complaint = isComplaint(answer) ? answer : judgePrometheus(spec, answer);
    return complaint === null ? [] : [lackOf(complaint, { kind: 'prometheus', ...spec, todo: `The query is ${spec.query}` })];
  });
  return (await Promise.all(lacks)).flat();
}

/** Under the path of the base URL: a Prometheus may stand behind a prefix, and other parameters (a tenant) stay. */
export function queryUrl(base: string, query: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`;
  url.searchParams.set('query', query);
  return url.href;
}
