import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: { message?: string; reason?: string; details?: { causes?: { reason?: string; message?: string; field?: string }[] } },
    what: string,
  ) {
    super(`${what}: ${String(status)} ${body.message ?? ''}`);
  }
}

/** What every object has. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface CallOptions {
  contentType?: string;
  body?: unknown;
  timeout?: number;
}

export interface WatchHandlers<T> {
  /** The whole list, at the start and after each gap. */
  onList: (items: T[]) => void;
  onEvent: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T) => void;
}

/** Where the API server is and as whom to speak. */
export interface ClientConfig {
  port: number;
  caFile: string;
  certFile: string;
  keyFile: string;
}

/**
 * A few hundred bytes of client instead of a whole one: the lab's glue talks to one server with one identity, and must stay
 * light beside the control plane it feeds.
 */
export class KubeClient {
  private readonly agent: https.Agent;
  private readonly watches = new Set<AbortController>();
  private closed = false;

  constructor(private readonly config: ClientConfig) {
    this.agent = new https.Agent({
      keepAlive: true,
      maxSockets: 24,
      ca: readFileSync(config.caFile),
      cert: readFileSync(config.certFile),
      key: readFileSync(config.keyFile),
    });
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  async list<T>(path: string): Promise<T[]> {
    return (await this.call<{ items: T[] }>('GET', path)).items;
  }

  create<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('POST', path, { body });
  }

  mergePatch<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  }

  strategicPatch<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('PATCH', path, { body, contentType: 'application/strategic-merge-patch+json' });
  }

  jsonPatch<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('PATCH', path, { body, contentType: 'application/json-patch+json' });
  }

  /** Server-side apply. */
  apply<T>(path: string, body: unknown, options: { manager: string; force: boolean }): Promise<T> {
    const query = `fieldManager=${options.manager}&force=${String(options.force)}`;
    return this.call<T>('PATCH', `${path}?${query}`, { body, contentType: 'application/apply-patch+yaml' });
  }

  /** Deletes; an object that is gone already is fine. */
  async remove(path: string, body?: unknown): Promise<void> {
    try {
      await this.call('DELETE', path, { body });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    const response = await this.send({ method, path, text, contentType: options.contentType ?? 'application/json', timeout: options.timeout ?? 30_000 });
    const raw = await readAll(response);
    const status = response.statusCode ?? 0;
    const parsed = parse(raw);
    if (status < 200 || status > 299) throw new ApiError(status, (parsed ?? { message: raw }) as ApiError['body'], `${method} ${path}`);
    return parsed as T;
  }

  /** Lists and watches until the client is closed; gaps are healed by listing again. */
  async watch<T extends KubeObject>(path: string, handlers: WatchHandlers<T>): Promise<void> {
    while (!this.closed) {
      try {
        const list = await this.call<{ items: T[]; metadata: { resourceVersion: string } }>('GET', path);
        handlers.onList(list.items);
        await this.stream(path, list.metadata.resourceVersion, handlers);
      } catch {
        // The server may be away (restarts are part of the game): list again when it is back.
        if (!this.closed) await sleep(200);
      }
    }
  }

  close(): void {
    this.closed = true;
    for (const watch of this.watches) watch.abort();
    this.agent.destroy();
  }

  private async stream<T extends KubeObject>(path: string, version: string, handlers: WatchHandlers<T>): Promise<void> {
    const abort = new AbortController();
    this.watches.add(abort);
    try {
      const query = `watch=true&allowWatchBookmarks=false&resourceVersion=${version}&timeoutSeconds=3000`;
      const response = await this.send({ method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}${query}`, text: undefined, contentType: '', timeout: 0, signal: abort.signal });
      if (response.statusCode !== 200) throw new Error(`watch ${path}: ${String(response.statusCode)}`);
      let rest = '';
      response.setEncoding('utf8');
      for await (const chunk of response as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === '') continue;
          const event = JSON.parse(line) as { type: string; object: T };
          if (event.type === 'ERROR') throw new Error('watch expired');
          if (event.type !== 'BOOKMARK') handlers.onEvent(event.type as 'ADDED', event.object);
        }
      }
    } finally {
      this.watches.delete(abort);
    }
  }

  private send(call: { method: string; path: string; text: string | undefined; contentType: string; timeout: number; signal?: AbortSignal }): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'ciliate-lab' };
      if (call.text !== undefined) {
        headers['content-type'] = call.contentType;
        headers['content-length'] = String(Buffer.byteLength(call.text));
      }
      const request = https.request(
        { host: '127.0.0.1', port: this.config.port, method: call.method, path: call.path, headers, agent: this.agent, ...(call.signal ? { signal: call.signal } : {}) },
        resolve,
      );
      if (call.timeout > 0) request.setTimeout(call.timeout, () => request.destroy(new Error(`${call.method} ${call.path}: no answer`)));
      request.once('error', reject);
      request.end(call.text);
    });
  }
}

/** Whether an error is the API server's answer with this status. */
export function isStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
