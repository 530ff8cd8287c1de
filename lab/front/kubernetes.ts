import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import type { FaultEngine, Request, Verdict } from '../faults/engine.js';
import { closeServer, listen, passHeaders, readBody, trackSockets } from './listen.js';
import { pass } from './pass.js';
import type { Answer } from './pass.js';

export interface KubernetesFrontConfig {
  pki: string;
  faults: FaultEngine;
}

/**
 * An HTTPS reverse proxy before kube-apiserver: passes bearer tokens and watches through, and lets the fault engine in
 * between. Client certificates cannot pass, upgraded connections (exec, port-forward) do not either.
 */
export class KubernetesFront {
  private readonly server: https.Server;
  private readonly sockets;
  private readonly agent: https.Agent;
  private port = 0;

  constructor(private readonly config: KubernetesFrontConfig) {
    const file = (name: string): Buffer => readFileSync(path.join(config.pki, name));
    this.agent = new https.Agent({ keepAlive: true, maxSockets: 512, ca: file('ca.crt') });
    this.server = https.createServer({ cert: file('front.crt'), key: file('front.key') }, (request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    this.server.requestTimeout = 0;
    this.server.headersTimeout = 0;
    this.sockets = trackSockets(this.server);
    this.server.on('secureConnection', (socket) => {
      if (config.faults.isAway('kubernetes')) socket.destroy();
    });
  }

  async listen(): Promise<string> {
    return `https://127.0.0.1:${String(await listen(this.server))}`;
  }

  /** Where the API server listens now. */
  target(port: number): void {
    this.port = port;
  }

  /** Cuts every open connection, watches included. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.agent.destroy();
    return closeServer(this.server, this.sockets);
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults } = this.config;
    if (faults.isAway('kubernetes')) {
      incoming.socket.destroy();
      return;
    }
    const body = incoming.method === 'GET' || incoming.method === 'HEAD' ? Buffer.alloc(0) : await readBody(incoming);
    const request = describe(incoming, body);
    faults.count(`kubernetes ${request.client.split(/[ /]/)[0] ?? ''} ${request.method} ${request.service}`);
    await pass(faults, { request, response, refuse: (verdict) => refuse(response, verdict), forward: () => this.forward(incoming, body, response) });
  }

  /** @returns the API server's answer; undefined when there is none and the client has been told. */
  private forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const upstream = https.request(
        { host: '127.0.0.1', port: this.port, method: incoming.method, path: incoming.url, headers: { ...passHeaders(incoming), ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) }, agent: this.agent },
        (answer) => resolve({ status: answer.statusCode ?? 502, deliver: () => deliver(answer, response), discard: () => answer.destroy() }),
      );
      upstream.on('error', () => {
        // The API server is away: a load balancer with no healthy target closes the connection.
        response.destroy();
        resolve(undefined);
      });
      response.once('close', () => upstream.destroy());
      upstream.end(body);
    });
  }
}

/** As it comes: a watch never ends. */
function deliver(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, passHeaders(answer));
  response.flushHeaders();
  answer.on('error', () => response.destroy());
  answer.on('aborted', () => response.destroy());
  answer.pipe(response);
}

function describe(incoming: IncomingMessage, body: Buffer): Request {
  const url = incoming.url ?? '/';
  const watching = incoming.method === 'GET' && /[?&]watch=(true|1)/.test(url);
  return {
    target: 'kubernetes',
    method: watching ? 'WATCH' : (incoming.method ?? 'GET'),
    path: url,
    action: '',
    service: resourceOf(url),
    client: incoming.headers['user-agent'] ?? '',
    body: () => body.toString('utf8'),
  };
}

/** The resource in an API path, with its subresource: `pods`, `pods/eviction`, `daemonsets`. */
export function resourceOf(url: string): string {
  const parts = (url.split('?')[0] ?? '').split('/').filter((part) => part !== '');
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : [];
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2] ?? '');
  const [resource, , sub] = inNamespace ? rest.slice(2) : rest;
  if (resource === undefined) return parts[0] ?? '/';
  return sub === undefined ? resource : `${resource}/${sub}`;
}

function refuse(response: ServerResponse, verdict: NonNullable<Verdict>): void {
  const code = verdict.throttle === true ? 429 : (verdict.status ?? 500);
  const reasons: Record<number, string> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout' };
  const wait = verdict.retryAfter ?? (code === 429 ? 1 : undefined);
  const text = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: verdict.message ?? 'injected by the lab', reason: reasons[code] ?? '', code });
  response.writeHead(code, { 'content-type': 'application/json', ...(wait === undefined ? {} : { 'retry-after': String(wait) }) });
  response.end(text);
}
