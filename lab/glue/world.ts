import { EventEmitter } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../cluster/client.js';
import { uidOf } from './types.js';
import type { AwsState, Instance, Node, Pod } from './types.js';

/** What the glue sees: instances on one side, Nodes and pods on the other; says `change` when any of it moves. */
export class World extends EventEmitter {
  aws: AwsState = { version: -1, instances: [], jobs: [], groups: [], subnets: [] };
  readonly nodes = new Map<string, Node>();
  readonly pods = new Map<string, Pod>();
  private nodesListed = false;
  private podsListed = false;
  private stopped = false;

  constructor(
    private readonly client: KubeClient,
    private readonly awsPort: number,
  ) {
    super();
  }

  /** Whether everything has been seen at least once; before that absence proves nothing. */
  get complete(): boolean {
    return this.nodesListed && this.podsListed && this.aws.version >= 0;
  }

  start(): void {
    void this.client.watch<Node>('/api/v1/nodes', {
      onList: (items) => {
        this.nodes.clear();
        for (const item of items) this.nodes.set(item.metadata.name, item);
        this.nodesListed = true;
        this.emit('change');
      },
      onEvent: (type, node) => {
        if (type === 'DELETED') this.nodes.delete(node.metadata.name);
        else this.nodes.set(node.metadata.name, node);
        this.emit('change');
      },
    });
    void this.client.watch<Pod>('/api/v1/pods', {
      onList: (items) => {
        this.pods.clear();
        for (const item of items) this.pods.set(uidOf(item), item);
        this.podsListed = true;
        this.emit('change');
      },
      onEvent: (type, pod) => {
        if (type === 'DELETED') {
          this.pods.delete(uidOf(pod));
          this.emit('podGone', pod);
        } else this.pods.set(uidOf(pod), pod);
        this.emit('change');
      },
    });
    void this.followAws();
  }

  stop(): void {
    this.stopped = true;
  }

  instance(id: string): Instance | undefined {
    return this.aws.instances.find((item) => item.id === id);
  }

  /** The instance behind a Node, by its providerID. */
  instanceOf(node: Node): Instance | undefined {
    const id = node.spec.providerID?.split('/').at(-1);
    return id === undefined ? undefined : this.instance(id);
  }

  /** Asks AWS now, where `instance` tells what it said last. */
  async stillRuns(id: string): Promise<boolean> {
    const { instances } = (await labCall(this.awsPort, 'state')) as AwsState;
    return instances.some((item) => item.id === id && item.state === 'running');
  }

  podsByNode(): Map<string, Pod[]> {
    const result = new Map<string, Pod[]>();
    for (const pod of this.pods.values()) {
      const name = pod.spec.nodeName;
      if (name === undefined) continue;
      const list = result.get(name);
      if (list === undefined) result.set(name, [pod]);
      else list.push(pod);
    }
    return result;
  }

  private async followAws(): Promise<void> {
    while (!this.stopped) {
      try {
        this.aws = (await labCall(this.awsPort, `state?after=${String(this.aws.version)}`)) as AwsState;
        this.emit('change');
      } catch {
        await sleep(200);
      }
    }
  }
}

/** The AWS stand-in's own door, `/_lab/…`. */
export function labCall(port: number, verb: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = http.request(
      { host: '127.0.0.1', port, path: `/_lab/${verb}`, method: body === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) } },
      (response) => {
        let raw = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (raw += chunk));
        response.on('error', reject);
        response.on('end', () => {
          try {
            if (response.statusCode !== 200) throw new Error(`/_lab/${verb}: ${String(response.statusCode)} ${raw.slice(0, 300)}`);
            resolve(JSON.parse(raw));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      },
    );
    request.setTimeout(60_000, () => request.destroy(new Error('no answer')));
    request.once('error', reject);
    request.end(text);
  });
}
