import { judgeHttp } from '../../domain/probes/http.js';
import { lackOf } from '../../domain/probes/lack.js';
import type { Lack } from '../../domain/probes/verdict.js';
import type { HttpProbeSpec } from '../../domain/spec/probes.js';
import { ask, isComplaint } from './ask.js';
import type { Probe } from './probe.js';

/** URLs that must answer, asked by the worker. */
export const httpProbe: Probe<'http'> = {
  kind: 'http',
  pass: async (_context, specs) => ({ lacks: await lacksOf(specs), notes: [] }),
  trial: (_clients, specs) => lacksOf(specs),
};

async function lacksOf(specs: HttpProbeSpec[]): Promise<Lack[]> {
  const lacks = specs.map(async (spec) => {
    const answer = await ask(spec);
    const complaint = isComplaint(answer) ? answer : judgeHttp(spec, answer);
    return complaint === null ? [] : [lackOf(complaint, { kind: 'http', ...spec, todo: `curl -i ${spec.url}` })];
  });
  return (await Promise.all(lacks)).flat();
}
