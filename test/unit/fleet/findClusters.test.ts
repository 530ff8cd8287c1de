import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findClusters } from '../../../activities/fleet/findClusters.js';

const ROLE = (account: string): string => `arn:aws:iam::${account}:role/ciliate`;
/** Clusters by account and region. The account of a call is the one whose role its key was given for. */
const WORLD: Record<string, Record<string, Record<string, string>>> = {
  '111111111111 eu-west-1': { alpha: { env: 'prod', team: 'a' }, beta: { env: 'test' }, gamma: { env: 'prod' } },
  '111111111111 eu-central-1': { delta: { env: 'prod' } },
  '222222222222 eu-west-1': { alpha: { env: 'prod' }, omega: { env: 'prod', team: 'a' } },
};
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    void body(request).then((text) => {
      const { status = 200, type, content } = answer(request, text);
      response.writeHead(status, { 'content-type': type }).end(content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'AKIDOWN', AWS_SECRET_ACCESS_KEY: 'x' })) vi.stubEnv(name, value);
});
afterAll(() => {
  server.close();
  vi.unstubAllEnvs();
});
let vanishing = '';
afterEach(() => {
  vanishing = '';
});

interface Answer {
  status?: number;
  type: string;
  content: string;
}

function answer({ url = '', headers }: IncomingMessage, text: string): Answer {
  const [, key = '', region = ''] = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  const role = decodeURIComponent(/RoleArn=([^&]+)/.exec(text)?.[1] ?? '');
  if (role !== '') return { type: 'text/xml', content: assumed(`AKID${role.split(':')[4]}`) };
  const world = WORLD[`${key.replace('AKID', '')} ${region}`] ?? {};
  const { pathname, searchParams } = new URL(url, 'http://aws');
  const name = pathname.split('/')[2];
  if (name === undefined) {
    // A page a name.
    const at = Number(searchParams.get('nextToken') ?? 0);
    const names = Object.keys(world);
    return json(200, { clusters: names.slice(at, at + 1), ...(at + 1 < names.length ? { nextToken: String(at + 1) } : {}) });
  }
  if (name === vanishing) return json(404, { __type: 'ResourceNotFoundException', message: `No cluster found for name: ${name}.` });
  return json(200, { cluster: { name, tags: world[name] ?? {} } });
}

function json(status: number, content: object): Answer {
  return { status, type: 'application/json', content: JSON.stringify(content) };
}

function assumed(key: string): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('selection by tag', () => {
  const one = { roleArn: ROLE('111111111111'), regions: ['eu-west-1', 'eu-central-1'] };
  const two = { roleArn: ROLE('222222222222'), regions: ['eu-west-1'] };

  it('goes through every page of every region, with the role of each account', async () => {
    expect(await findClusters({ tags: { env: 'prod' }, accounts: [one] })).toEqual([
      { name: 'alpha', region: 'eu-west-1', roleArn: one.roleArn },
      { name: 'delta', region: 'eu-central-1', roleArn: one.roleArn },
      { name: 'gamma', region: 'eu-west-1', roleArn: one.roleArn },
    ]);
    expect(await findClusters({ tags: { env: 'prod', team: 'a' }, accounts: [two] })).toEqual([{ name: 'omega', region: 'eu-west-1', roleArn: two.roleArn }]);
  });
  it('finds nothing where nothing carries the tags', async () => {
    expect(await findClusters({ tags: { env: 'none' }, accounts: [one, two] })).toEqual([]);
  });
  it('leaves out a cluster that was deleted since it was listed', async () => {
    vanishing = 'delta';
    expect((await findClusters({ tags: { env: 'prod' }, accounts: [one] })).map(({ name }) => name)).toEqual(['alpha', 'gamma']);
  });
  it('asks a person where two clusters of one name were found, and says which', async () => {
    await expect(findClusters({ tags: { env: 'prod' }, accounts: [one, two] })).rejects.toMatchObject({
      kind: 'NeedsHuman',
      message: expect.stringContaining(`alpha (eu-west-1 of ${one.roleArn}, eu-west-1 of ${two.roleArn})`) as string,
    });
  });
});
