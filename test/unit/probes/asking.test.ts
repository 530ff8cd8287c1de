import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeContext } from '../../../activities/probes/probe.js';
import { httpProbe } from '../../../activities/probes/http.js';
import { prometheusProbe, queryUrl } from '../../../activities/probes/prometheus.js';
import { probesSchema } from '../../../domain/spec/probes.js';

let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => void response.end();
const server = createServer((request, response) => answer(request, response));
let base = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('CILIATE_PROBE_')) delete process.env[name];
});

/** Neither kind looks at the cluster. */
const context = { replacement: 'new' } as ProbeContext;
const http = async (spec: object) => (await httpProbe.pass(context, probesSchema.parse({ http: [{ name: 'shop', url: `${base}/healthz`, ...spec }] }).http)).lacks.map(({ reason }) => reason);
const prometheus = async (spec: object) => (await prometheusProbe.pass(context, probesSchema.parse({ prometheus: [{ url: `${base}/prefix`, query: 'up{job="shop"} == 1', ...spec }] }).prometheus)).lacks;

describe('the HTTP check', () => {
  it('holds with the expected answer, and says what came instead of it', async () => {
    answer = (request, response) => void response.writeHead(request.url === '/healthz' ? 503 : 404).end('{"ready": false}');
    expect(await http({})).toEqual(['expected a status from 200 to 299, saw status 503']);
    expect(await http({ status: 503 })).toEqual([]);
    expect(await http({ status: 503, body: '"ready": true' })).toEqual(['expected a body that matches /"ready": true/, saw 16 characters that do not']);
  });

  it('does not follow redirects', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: `${base}/elsewhere` }).end();
    expect(await http({})).toEqual(['expected a status from 200 to 299, saw status 302']);
    expect(await http({ status: 302 })).toEqual([]);
  });

  it('has a limit: neither a silent server nor an endless body holds it up', async () => {
    answer = () => undefined;
    expect(await http({ timeoutSeconds: 1 })).toEqual(['expected an answer within 1 s, saw none']);
    answer = (_request, response) => {
      const more = (): void => void (response.destroyed || response.write('x'.repeat(100_000), more));
      more();
    };
    expect(await http({ body: '^x+$' })).toEqual([]);
  });

  it('says why nobody answers', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(await http({ url: `http://127.0.0.1:${port}/` })).toEqual([expect.stringMatching(/expected an answer within 5 s, saw .*ECONNREFUSED/)]);
  });

  it('takes headers from the environment of the worker or from a file, and names no value', async () => {
    answer = (request, response) => void response.writeHead(request.headers.authorization === 'Bearer s3cret' ? 200 : 401).end();
    const spec = { headersFrom: { Authorization: 'CILIATE_PROBE_AUTH' } };
    await expect(http(spec)).rejects.toThrow(/header Authorization: expected its value in the environment of the worker, saw none in CILIATE_PROBE_AUTH/);
    process.env['CILIATE_PROBE_AUTH'] = 'Bearer s3cret';
    expect(await http(spec)).toEqual([]);
    process.env['CILIATE_PROBE_AUTH'] = 'Bearer s3\ncret';
    const error: unknown = await http(spec).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/no header can have/);
    expect(String(error)).not.toMatch(/s3/);
    const folder = mkdtempSync(join(tmpdir(), 'ciliate-probe-'));
    writeFileSync(join(folder, 'token'), 'Bearer s3cret\n');
    process.env['CILIATE_PROBE_AUTH_FILE'] = join(folder, 'token');
    expect(await http(spec)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('the Prometheus query', () => {
  it('asks the API under the prefix of the URL', async () => {
    const asked: string[] = [];
    answer = (request, response) => {
      asked.push(decodeURIComponent((request.url ?? '').replaceAll('+', ' ')));
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } }));
    };
    expect(await prometheus({ expect: 'empty' })).toEqual([]);
    expect(await prometheus({})).toMatchObject([{ object: `Probe prometheus ${base}/prefix`, reason: 'expected at least one series, and every value above 0, saw no series', todo: 'The query is up{job="shop"} == 1', limitSeconds: 120 }]);
    expect(asked[0]).toBe('/prefix/api/v1/query?query=up{job="shop"} == 1');
    expect(queryUrl('https://p.example.com/?tenant=a', 'up')).toBe('https://p.example.com/api/v1/query?tenant=a&query=up');
  });
});
