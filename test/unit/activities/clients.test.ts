import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setSizes } from '../../../activities/aws/capacity.js';
import { terminateInGroup } from '../../../activities/aws/terminate.js';
import { awsClients } from '../../../activities/clients/aws.js';
import { EksToken } from '../../../activities/clients/eks.js';
import { ClientPool, withKubeconfigFile } from '../../../activities/clients/index.js';
import type { Clients } from '../../../activities/clients/index.js';
import { presign } from '../../../activities/clients/sigv4.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();
const kubeconfig = (server: string, token = 't'): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

beforeEach(() => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
});
afterEach(() => vi.unstubAllEnvs());

describe('ClientPool', () => {
  it('builds each reference once, whatever the order of its keys, and again when its file changes', async () => {
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, kubeconfig('https://127.0.0.1:1'));
    const pool = new ClientPool();
    const first = await pool.for({ kubeconfig: path, region: 'eu-west-1' });
    expect(await pool.for({ region: 'eu-west-1', kubeconfig: path })).toBe(first);
    expect(await pool.for({ kubeconfig: path, region: 'eu-central-1' })).not.toBe(first);
    utimesSync(path, new Date(), new Date(Date.now() + 5_000));
    expect(await pool.for({ kubeconfig: path, region: 'eu-west-1' })).not.toBe(first);
  });

  it('says which file it cannot read, and that a region is needed', async () => {
    await expect(new ClientPool().for({ kubeconfig: '/nowhere/k' })).rejects.toThrow(/kubeconfig \/nowhere\/k: expected a readable kubeconfig/);
    vi.stubEnv('AWS_REGION', '');
    const path = join(folder, 'plain');
    writeFileSync(path, kubeconfig('https://127.0.0.1:1'));
    await expect(new ClientPool().for({ kubeconfig: path })).rejects.toThrow(/spec.cluster.region/);
  });

  it('names the contexts there are', async () => {
    const path = join(folder, 'contexts');
    writeFileSync(path, kubeconfig('https://127.0.0.1:1'));
    await expect(new ClientPool().for({ kubeconfig: path, context: 'prod' })).rejects.toThrow(/context prod: expected one of x/);
  });

  it('after a 401 asks once more, and builds anew the next time', async () => {
    const answers = [401, 401];
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.statusCode = answers.shift() ?? 200;
      response.setHeader('content-type', 'application/json');
      response.end('{"kind":"NodeList","items":[]}');
    }).listen(0);
    const path = join(folder, 'unauthorized');
    writeFileSync(path, kubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const pool = new ClientPool();
    const clients = await pool.for({ kubeconfig: path });
    await expect(clients.kube.core.listNode()).rejects.toMatchObject({ code: 401 });
    expect(asked).toBe(2);
    const again = await pool.for({ kubeconfig: path });
    expect(again).not.toBe(clients);
    expect((await again.kube.core.listNode()).items).toEqual([]);
    server.close();
  });

  it('writes a kubeconfig that only we can read, and removes it', async () => {
    const path = join(folder, 'source');
    writeFileSync(path, kubeconfig('https://127.0.0.1:1', 'secret'));
    const clients = await new ClientPool().for({ kubeconfig: path });
    const written = await withKubeconfigFile(clients, (file) => {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ 'current-context': 'x', users: [{ user: { token: 'secret' } }] });
      return Promise.resolve(file);
    });
    expect(() => statSync(written)).toThrow();
  });
});

describe('what does more when it is sent twice', () => {
  const node = { name: 'n', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'z' };
  it.each([
    ['a termination', 'TerminateInstanceInAutoScalingGroup', (clients: Clients) => terminateInGroup(clients, { target: { migration: 'm', cluster: { kubeconfig: '/k' }, holder: 'h' }, node, decrement: true })],
    ['a size', 'SetDesiredCapacity', (clients: Clients) => setSizes(clients, { AutoScalingGroupName: 'g' } as never, { desired: 4 })],
  ])('is sent once by the SDK, however it fails: %s', async (_name, action, call) => {
    const sent: (string | null)[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        sent.push(new URLSearchParams(body).get('Action'));
        response.statusCode = 500;
        response.end();
      });
    }).listen(0);
    vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(call({ aws: await awsClients({ region: 'eu-west-1' }) } as unknown as Clients)).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(sent).toEqual([action]);
    server.close();
  });
});

describe('EKS tokens', () => {
  it('are presigned calls of STS at the endpoint of the settings, bound to the cluster', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:5555');
    const source = new EksToken((await awsClients({ region: 'eu-west-1' })).sts, 'prod');
    const token = await source.get();
    const url = new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());
    expect(url.origin).toBe('http://127.0.0.1:5555');
    expect([url.searchParams.get('Action'), url.searchParams.get('X-Amz-SignedHeaders'), url.searchParams.get('X-Amz-Expires')]).toEqual(['GetCallerIdentity', 'host;x-k8s-aws-id', '60']);
    expect(await source.get()).toBe(token);
    vi.useFakeTimers({ now: Date.now() + 13 * 60_000, toFake: ['Date'] });
    expect(await source.get()).not.toBe(token);
    vi.useRealTimers();
  });

  // The signature of @smithy/signature-v4 5 for the same input.
  it('are signed as the SDK signs', () => {
    const url = presign({
      url: new URL('https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15'),
      service: 'sts',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', sessionToken: 'tok/en+=' },
      headers: { 'x-k8s-aws-id': 'c1' },
      expiresSeconds: 60,
      now: new Date('2026-01-02T03:04:05Z'),
    });
    expect(new URL(url).searchParams.get('X-Amz-Signature')).toBe('452603fdd46e5b5d9815437ef432666db9b89f0686adbeb61c12a3d1ac0b08e1');
  });
});
