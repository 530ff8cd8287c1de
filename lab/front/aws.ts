import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultEngine, Request, Verdict } from '../faults/engine.js';
import { eksAction } from './eks.js';
import { closeServer, listen, passHeaders, readBody, trackSockets } from './listen.js';
import { pass } from './pass.js';
import type { Answer } from './pass.js';

export interface AwsFrontConfig {
  /** Where the AWS stand-in listens. */
  port: number;
  faults: FaultEngine;
}

/** What `AWS_ENDPOINT_URL` points to: the AWS stand-in with the fault engine in between. */
export class AwsFront {
  private readonly server: http.Server;
  private readonly sockets;
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

  constructor(private readonly config: AwsFrontConfig) {
    this.server = http.createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    this.sockets = trackSockets(this.server);
  }

  async listen(): Promise<string> {
    return `http://127.0.0.1:${String(await listen(this.server))}`;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.agent.destroy();
    return closeServer(this.server, this.sockets);
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults } = this.config;
    if (faults.isAway('aws')) {
      incoming.socket.destroy();
      return;
    }
    const body = await readBody(incoming);
    const request = describe(incoming, body);
    faults.count(`aws ${request.service} ${request.action}`);
    await pass(faults, { request, response, refuse: (verdict) => refuse(response, request, verdict), forward: () => this.forward(incoming, { body, request, response }) });
  }

  private forward(incoming: IncomingMessage, call: { body: Buffer; request: Request; response: ServerResponse }): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { ...passHeaders(incoming), 'content-length': String(call.body.length), 'x-lab-action': call.request.action };
      const upstream = http.request({ host: '127.0.0.1', port: this.config.port, method: incoming.method, path: incoming.url, headers, agent: this.agent }, (answer) => {
        const status = answer.statusCode ?? 502;
        const deliver = (body: Buffer) => (): void => {
          call.response.writeHead(status, { ...passHeaders(answer), 'content-length': String(body.length) });
          call.response.end(body);
        };
        readBody(answer).then((body) => resolve({ status, deliver: deliver(body), discard: () => undefined }), reject);
      });
      upstream.on('error', reject);
      upstream.end(call.body);
    });
  }
}

function describe(incoming: IncomingMessage, body: Buffer): Request {
  const url = new URL(incoming.url ?? '/', 'http://lab');
  const type = incoming.headers['content-type'] ?? '';
  const form = type.startsWith('application/x-www-form-urlencoded') ? new URLSearchParams(body.toString('utf8')) : url.searchParams;
  const credential = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(incoming.headers.authorization ?? '');
  const service = credential?.[1] ?? url.searchParams.get('X-Amz-Credential')?.split('/')[3] ?? 'sts';
  const method = incoming.method ?? 'GET';
  return {
    target: 'aws',
    method,
    path: incoming.url ?? '/',
    action: form.get('Action') ?? (service === 'eks' ? eksAction(method, url.pathname) : method),
    service,
    client: incoming.headers['user-agent'] ?? '',
    body: () => body.toString('utf8'),
  };
}

/** How each service says that it is asked too often. */
const throttles: Record<string, { status: number; code: string }> = {
  ec2: { status: 503, code: 'RequestLimitExceeded' },
  autoscaling: { status: 400, code: 'Throttling' },
  eks: { status: 429, code: 'ThrottlingException' },
  iam: { status: 400, code: 'Throttling' },
  sts: { status: 400, code: 'Throttling' },
};

function refuse(response: ServerResponse, request: Request, verdict: NonNullable<Verdict>): void {
  const throttle = throttles[request.service] ?? { status: 400, code: 'Throttling' };
  const status = verdict.throttle === true ? throttle.status : (verdict.status ?? 500);
  const fallback = status === 400 || status === 429 ? throttle.code : status === 503 ? 'ServiceUnavailable' : status === 403 ? 'AccessDenied' : 'InternalFailure';
  const code = verdict.code ?? (verdict.throttle === true ? throttle.code : fallback);
  const message = verdict.message ?? (verdict.throttle === true ? 'Rate exceeded' : 'injected by the lab');
  if (request.service === 'eks') {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code });
    response.end(JSON.stringify({ message }));
    return;
  }
  const inner = `<Code>${code}</Code><Message>${message}</Message>`;
  const text =
    request.service === 'ec2'
      ? `<Response><Errors><Error>${inner}</Error></Errors><RequestID>lab</RequestID></Response>`
      : `<ErrorResponse><Error><Type>Sender</Type>${inner}</Error><RequestId>lab</RequestId></ErrorResponse>`;
  response.writeHead(status, { 'content-type': 'text/xml' });
  response.end(text);
}
