import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeHttp } from '../../../domain/probes/http.js';
import { blockersOf } from '../../../domain/probes/judge.js';
import { judgePrometheus } from '../../../domain/probes/prometheus.js';

const vector = (...values: string[]) => ({
  status: 200,
  text: JSON.stringify({ status: 'success', data: { resultType: 'vector', result: values.map((value, at) => ({ metric: { __name__: 'up', pod: `p${at}` }, value: [1.5, value] })) } }),
});

describe('an HTTP check', () => {
  it('takes any 2xx unless a status is asked for', () => {
    expect(judgeHttp({}, { status: 204, text: '' })).toBeNull();
    expect(judgeHttp({}, { status: 301, text: '' })).toMatchObject({ expected: 'a status from 200 to 299', seen: 'status 301' });
    expect(judgeHttp({ status: 401 }, { status: 401, text: '' })).toBeNull();
    expect(judgeHttp({ status: 401 }, { status: 200, text: '' })).toMatchObject({ expected: 'status 401', seen: 'status 200' });
  });

  it('looks at the body only where the status fits', () => {
    expect(judgeHttp({ body: '"ready": ?true' }, { status: 200, text: '{"ready": true}' })).toBeNull();
    expect(judgeHttp({ body: 'ready' }, { status: 200, text: 'no' })).toMatchObject({ expected: 'a body that matches /ready/' });
    expect(judgeHttp({ body: 'ready' }, { status: 503, text: 'ready' })).toMatchObject({ seen: 'status 503' });
  });
});

describe('a Prometheus query', () => {
  it('must have series, all above 0: a metric that is missing fails', () => {
    expect(judgePrometheus({ expect: 'positive' }, vector('1', '+Inf'))).toBeNull();
    expect(judgePrometheus({ expect: 'positive' }, vector())).toMatchObject({ seen: 'no series' });
    for (const bad of ['0', '-1', 'NaN', '-Inf']) expect(judgePrometheus({ expect: 'positive' }, vector('1', bad))).toMatchObject({ seen: `up{pod="p1"} = ${bad}` });
    expect(judgePrometheus({ expect: 'positive' }, { status: 200, text: '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}' })).toBeNull();
  });

  it('or must have none, as an alert that does not fire', () => {
    expect(judgePrometheus({ expect: 'empty' }, vector())).toBeNull();
    expect(judgePrometheus({ expect: 'empty' }, vector('0', '1', '2', '3'))).toMatchObject({ expected: 'no series', seen: expect.stringMatching(/up\{pod="p0"\} = 0, .* and 1 more$/) as string });
  });

  it('says what came instead of an answer', () => {
    expect(judgePrometheus({ expect: 'empty' }, { status: 400, text: '{"status":"error","errorType":"bad_data","error":"parse error"}' })).toMatchObject({ seen: 'bad_data: parse error' });
    expect(judgePrometheus({ expect: 'empty' }, { status: 502, text: '<html>' })).toMatchObject({ seen: 'status 502 with "<html>"' });
    expect(judgePrometheus({ expect: 'empty' }, { status: 200, text: '{"status":"success","data":{"resultType":"matrix","result":[]}}' })).toMatchObject({ expected: expect.stringContaining('instant vector') as string });
  });

  it('never takes what is no answer for one, whatever it is', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(judgePrometheus({ expect: 'empty' }, { status: 200, text })).not.toBeNull();
    }));
  });
});

it('what lasts longer than it may is firm', () => {
  const lack = { object: 'Probe http shop', reason: 'no', todo: '', gist: '' };
  const since = '2026-01-01T00:00:00Z';
  const at = (seconds: number) => blockersOf([{ ...lack, limitSeconds: 60 }, { ...lack, limitSeconds: 10 }], { since, now: Date.parse(since) + seconds * 1000 }).map(({ firm }) => firm === true);
  expect([at(0), at(10), at(60)]).toEqual([[false, false], [false, true], [true, true]]);
});
