import { judgeHttp } from '../../domain/probes/http.js';
import { lackOf } from '../../domain/probes/lack.js';
import { ask, isComplaint } from './ask.js';
import type { Probe } from './probe.js';

/** URLs that must answer, asked by the worker. */
export const httpProbe: Probe<'http'> = {
  kind: 'http',
  async pass(_context, specs) {
    const lacks = specs.map(async (spec) => {
      const answer = await ask(spec);
      const complaint = isComplaint(answer) ? answer : judgeHttp(spec, answer);
      return complaint === null ? [] : [lackOf(complaint, { kind: 'http', ...spec, todo: `curl -i ${spec.url}` })];
    });
    return { lacks: (await Promise.all(lacks)).flat(), notes: [] };
  },
};
