import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ControlPlane } from '../cluster/controlplane.js';
import { messageOf } from '../errors.js';
import type { FaultEngine } from '../faults/engine.js';
import type { FaultRule, Target } from '../faults/types.js';
import type { Glue } from '../glue/glue.js';
import { condition } from '../glue/types.js';
import { labCall } from '../glue/world.js';
import { closeServer, listen, readBody, trackSockets } from './listen.js';
import type { TokenReviewer } from './tokens.js';

export interface ControlConfig {
  faults: FaultEngine;
  reviewer: TokenReviewer;
  /** Cuts the open connections of a front. */
  cut: (target: Target) => void;
}

/** What is only there once the lab runs. */
export interface Attachments {
  glue: Glue;
  plane: ControlPlane;
  awsPort: number;
}

type Body = Record<string, unknown>;

/** The lab's own HTTP door on loopback: faults, status, and TokenReviews for the API server. */
export class ControlServer {
  private readonly server = http.createServer((request, response) => void this.serve(request, response));
  private readonly sockets = trackSockets(this.server);
  private attached: Attachments | undefined;

  constructor(private readonly config: ControlConfig) {}

  async listen(): Promise<string> {
    return `http://127.0.0.1:${String(await listen(this.server))}`;
  }

  attach(attachments: Attachments): void {
    this.attached = attachments;
  }

  close(): Promise<void> {
    return closeServer(this.server, this.sockets);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'http://lab');
      const raw = await readBody(request);
      const body = (raw.length > 0 ? JSON.parse(raw.toString('utf8')) : {}) as Body;
      const result = await this.route(`${request.method ?? 'GET'} ${url.pathname}`, body, url.searchParams);
      response.writeHead(result === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(result ?? { error: `nothing at ${request.method ?? ''} ${url.pathname}` }));
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: messageOf(error) }));
    }
  }

  private async route(what: string, body: Body, query: URLSearchParams): Promise<unknown> {
    const { faults, reviewer } = this.config;
    const rule = /^(\w+) \/rules\/([^/]+?)(\/release)?$/.exec(what);
    if (rule?.[1] === 'POST' && rule[3] !== undefined) return { released: faults.release(decodeURIComponent(rule[2] ?? ''), body['keep'] === true) };
    if (rule?.[1] === 'DELETE') return faults.remove(decodeURIComponent(rule[2] ?? '')), {};
    switch (what) {
      case 'POST /authenticate':
        return reviewer.review(String((body['spec'] as { token?: string } | undefined)?.token ?? ''));
      case 'GET /status':
        return this.status();
      case 'GET /rules':
        return { rules: faults.list() };
      case 'POST /rules':
        return { id: faults.add(body as unknown as FaultRule) };
      case 'DELETE /rules':
        return faults.clear(), {};
      case 'GET /events':
        return { events: await faults.since(Number(query.get('after') ?? 0), Number(query.get('timeout') ?? 25_000)), last: faults.lastSeq };
      case 'GET /counts':
        return faults.counts();
      case 'DELETE /counts':
        return faults.resetCounts(), {};
      case 'POST /away': {
        const target = body['target'] === 'aws' ? 'aws' : 'kubernetes';
        faults.away(target, Number(body['milliseconds'] ?? 0));
        if (Number(body['milliseconds'] ?? 0) > 0) this.config.cut(target);
        return {};
      }
      case 'POST /restart-apiserver':
        await this.lab().plane.restartApiServer(Number(body['downFor'] ?? 0));
        return {};
      case 'POST /aws':
        return labCall(this.lab().awsPort, 'set', body);
      case 'POST /aws/eks-update':
        return labCall(this.lab().awsPort, 'eks-update', body);
      default:
        return undefined;
    }
  }

  private lab(): Attachments {
    if (this.attached === undefined) throw new Error('the lab is still starting');
    return this.attached;
  }

  private status(): unknown {
    const { glue, plane } = this.lab();
    const { world, watchdog } = glue;
    return {
      violations: watchdog.violations,
      killedPods: watchdog.killedPods,
      instances: world.aws.instances.map(({ userData: _, ...instance }) => instance),
      groups: world.aws.groups,
      subnets: world.aws.subnets,
      nodes: [...world.nodes.values()].map((node) => ({
        name: node.metadata.name,
        uid: node.metadata.uid,
        providerId: node.spec.providerID,
        ready: condition(node, 'Ready')?.status === 'True',
        labels: node.metadata.labels,
        taints: node.spec.taints ?? [],
        unschedulable: node.spec.unschedulable ?? false,
      })),
      pods: {
        total: world.pods.size,
        running: [...world.pods.values()].filter((pod) => pod.status?.phase === 'Running').length,
      },
      pids: plane.pids(),
    };
  }
}
