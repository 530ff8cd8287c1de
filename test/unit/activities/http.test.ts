import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { HttpMethod, RequestContext } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { timedHttp } from '../../../activities/clients/http.js';

const servers: { server: Server; agent: Agent }[] = [];
afterEach(() => {
  for (const { server, agent } of servers.splice(0)) {
    agent.destroy();
    server.close();
  }
});

/** Answers as an API server answers with a long list: compressed, in chunks. */
async function lists(connections: number): Promise<{ get: () => Promise<string>; asked: () => number; most: () => number }> {
  let [asked, now, most] = [0, 0, 0];
  const list = gzipSync(randomBytes(500_000).toString('hex'));
  const server = createServer((_request, response) => {
    asked++;
    most = Math.max(most, ++now);
    response.once('close', () => now--);
    response.setHeader('content-encoding', 'gzip');
    response.write(list);
    setTimeout(() => response.end(), 1);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'lifo' });
  servers.push({ server, agent });
  const http = timedHttp({ onUnauthorized: () => undefined, authenticate: () => Promise.resolve(), connections });
  const get = async (): Promise<string> => {
    const request = new RequestContext(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/nodes`, HttpMethod.GET);
    request.setAgent(agent);
    return (await http.send(request).toPromise()).body.text();
  };
  return { get, asked: () => asked, most: () => most };
}

describe('requests to an API server', () => {
  it('of many at once none is taken for cut off, and none is repeated', async () => {
    const { get, asked, most } = await lists(4);
    const answers = await Promise.allSettled(Array.from({ length: 40 }, get));
    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(asked()).toBe(40);
    expect(most()).toBeGreaterThan(1);
  });
});
