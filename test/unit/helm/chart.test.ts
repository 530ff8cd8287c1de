import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest, resolveChart } from '../../../activities/helm/chart.js';
import { parseManifests, renderChart } from '../../../activities/helm/render.js';
import { CAN_RENDER, REAL_CHARTS } from '../cilium/fixtures.js';

const { path = '', version = '' } = REAL_CHARTS.at(-1) ?? {};
let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'chart-test-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!CAN_RENDER)('resolveChart', () => {
  it('takes a .tgz and digests its bytes', async () => {
    const chart = await resolveChart({ version, chart: path }, folder);
    expect(chart).toMatchObject({ path, version, appVersion: version, source: path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') });
    expect(chart.kubeVersion).toMatch(/>=/);
  });

  it('takes a folder, with a digest that every file counts in and its place does not', async () => {
    execFileSync('tar', ['xzf', path, '-C', folder]);
    const unpacked = join(folder, 'cilium');
    const first = await resolveChart({ version, chart: unpacked }, folder);
    cpSync(unpacked, join(folder, 'copy'), { recursive: true });
    expect(await digest(join(folder, 'copy'))).toBe(first.sha256);
    writeFileSync(join(folder, 'copy', 'templates', 'extra.yaml'), '# x');
    expect(await digest(join(folder, 'copy'))).not.toBe(first.sha256);
  });

  it('refuses another version, saying both', async () => {
    await expect(resolveChart({ version: '1.19.1', chart: path }, folder)).rejects.toMatchObject({
      kind: 'Permanent',
      code: 'ChartVersion',
      message: expect.stringMatching(new RegExp(`1\\.19\\.1.*${version.replaceAll('.', '\\.')}`)) as string,
    });
  });

  it('refuses a path without a chart', async () => {
    await expect(resolveChart({ version, chart: join(folder, 'nothing.tgz') }, folder)).rejects.toMatchObject({ kind: 'Permanent', code: 'ChartMissing' });
  });

  it('tells an unreachable reference from a wrong one', async () => {
    // .invalid is reserved (RFC 2606); nothing listens on port 1.
    for (const chart of ['https://charts.invalid', 'https://127.0.0.1:1/cilium.tgz', 'oci://127.0.0.1:1/cilium']) {
      await expect(resolveChart({ version, chart }, folder), chart).rejects.toMatchObject({ kind: 'Transient', code: 'ChartUnreachable' });
    }
  });
});

describe.skipIf(!CAN_RENDER)('a proxy of the worker', () => {
  it('is used for the public repository, and its refusal is told', async () => {
    const seen: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const before = process.env['HTTPS_PROXY'];
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await expect(resolveChart({ version: '1.16.0' }, folder)).rejects.toMatchObject({ kind: 'Transient' });
      expect(seen[0]).toBe('helm.cilium.io:443');
    } finally {
      if (before === undefined) delete process.env['HTTPS_PROXY'];
      else process.env['HTTPS_PROXY'] = before;
      proxy.close();
    }
  });
});

describe.skipIf(!CAN_RENDER)('renderChart', () => {
  it('tells a refusal of the chart in its own words', async () => {
    await expect(renderChart({ path }, { tunnel: 'disabled' }, { kubeVersion: 'v1.33.0' })).rejects.toMatchObject({
      kind: 'Permanent',
      code: 'ChartInvalid',
      message: expect.stringContaining('tunnel was deprecated') as string,
    });
  });

  it('renders by the version of the cluster', async () => {
    await expect(renderChart({ path }, {}, { kubeVersion: 'v1.15.0' })).rejects.toMatchObject({ code: 'ChartInvalid', message: expect.stringContaining('kubeVersion') as string });
  });
});

describe('parseManifests', () => {
  it('leaves empty documents out and refuses a key that stands twice', () => {
    const one = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: "1"\n';
    expect(parseManifests(`---\n# nothing\n---\n${one}---\n`)).toMatchObject([{ kind: 'ConfigMap', data: { x: '1' } }]);
    expect(() => parseManifests(`${one}  x: "2"\n`)).toThrow(/no key twice/);
    expect(() => parseManifests('just text')).toThrow(/no Kubernetes object/);
  });
});
