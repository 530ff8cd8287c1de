import { asyncLocalStorage } from '@temporalio/activity';
import { Watch } from '@kubernetes/client-node';
import type { KubeConfig, V1ListMeta, V1Node, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { KubeClients } from './types.js';

/** Something happened to an object. Only a hint to look again: what is decided on is always read. */
export type ClusterEvent =
  | { kind: 'Node'; type: EventType; object: V1Node }
  | { kind: 'Pod'; type: EventType; object: V1Pod }
  | { kind: 'PodDisruptionBudget'; type: EventType; object: V1PodDisruptionBudget };
export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface Listening {
  /** True as soon as something that matters happened since the last call (or since `listen`); false after `ms`, or when `signal` aborts. */
  next(ms: number, signal?: AbortSignal): Promise<boolean>;
  end(): void;
}

/** What a look needs of {@link ClusterEvents}. */
export interface EventSource {
  /** The worker is stopping: nobody should wait here any more. */
  readonly closed: boolean;
  close(): void;
  listen(matters: (event: ClusterEvent) => boolean): Listening;
}

interface Watched {
  path: string;
  /** The smallest list there is: for its version. */
  list: (kube: KubeClients) => Promise<{ metadata?: V1ListMeta }>;
}

const WATCHED: Record<ClusterEvent['kind'], Watched> = {
  Node: { path: '/api/v1/nodes', list: (kube) => kube.core.listNode({ limit: 1 }) },
  Pod: { path: '/api/v1/pods', list: (kube) => kube.core.listPodForAllNamespaces({ limit: 1 }) },
  PodDisruptionBudget: { path: '/apis/policy/v1/poddisruptionbudgets', list: (kube) => kube.policy.listPodDisruptionBudgetForAllNamespaces({ limit: 1 }) },
};
/** Nobody listens for so long: the streams are closed. */
const IDLE_MS = 60_000;
/** A stream that broke is opened again after this; whoever listens polls meanwhile. */
const REOPEN_MS = 2_000;
/** Events come in bursts (a pod's end is four of them): one look serves them all. */
const BURST_MS = 30;

/**
 * One watch per kind for a whole cluster, shared by everything that waits in this process: opened with the first listener,
 * closed when nobody listens any more. Nothing is kept, so nothing can be stale; where watching is forbidden or broken,
 * listeners only wait out their time.
 */
export class ClusterEvents implements EventSource {
  readonly #listeners = new Set<Listener>();
  readonly #streams = new Set<Stream>();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly kube: KubeClients) {}

  listen(matters: (event: ClusterEvent) => boolean): Listening {
    const listener = new Listener(matters, () => this.#leave(listener));
    this.#listeners.add(listener);
    clearTimeout(this.#idle);
    this.#idle = undefined;
    // Outside the activity that comes first: the streams outlive it, and its cancellation.
    if (this.#streams.size === 0 && !this.#closed) asyncLocalStorage.exit(() => this.#open());
    return listener;
  }

  #open(): void {
    for (const kind of Object.keys(WATCHED) as ClusterEvent['kind'][]) {
      const { path, list } = WATCHED[kind];
      const versionNow = async () => (await list(this.kube)).metadata?.resourceVersion;
      this.#streams.add(new Stream({ config: this.kube.config, path, versionNow }, (type, object) => this.#tell({ kind, type, object } as ClusterEvent)));
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** For good: who waits is woken. */
  close(): void {
    this.#closed = true;
    this.#rest();
    for (const listener of this.#listeners) listener.wake();
  }

  #rest(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  #tell(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener.tell(event);
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#idle !== undefined) return;
    this.#idle = setTimeout(() => this.#rest(), IDLE_MS).unref();
  }
}

class Listener implements Listening {
  #happened = false;
  #wake: (() => void) | undefined;

  constructor(
    private readonly matters: (event: ClusterEvent) => boolean,
    readonly end: () => void,
  ) {}

  tell(event: ClusterEvent): void {
    if (this.#happened || !this.matters(event)) return;
    this.#happened = true;
    if (this.#wake) setTimeout(this.#wake, BURST_MS);
  }

  wake(): void {
    this.#happened = true;
    this.#wake?.();
  }

  async next(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (!this.#happened && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal?.addEventListener('abort', this.#wake, { once: true });
      });
      if (this.#wake) signal?.removeEventListener('abort', this.#wake);
      this.#wake = undefined;
    }
    const happened = this.#happened;
    this.#happened = false;
    return happened;
  }
}

/** A watch that is opened again until it is closed. It begins with now: what was there before is nobody's event. */
class Stream {
  #closed = false;
  #version: string | undefined;
  #request: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly of: { config: KubeConfig; path: string; versionNow: () => Promise<string | undefined> },
    private readonly see: (type: EventType, object: object) => void,
  ) {
    void this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  async #open(): Promise<void> {
    try {
      this.#version ??= await this.of.versionNow();
      if (this.#closed) return;
      const query = { resourceVersion: this.#version, allowWatchBookmarks: true, timeoutSeconds: 300 };
      const request = await new Watch(this.of.config).watch(this.of.path, query, (type, object) => this.#event(type, object as SeenObject), (error) => this.#ended(error));
      if (this.#closed) request.abort();
      else this.#request = request;
    } catch (error) {
      this.#ended(error);
    }
  }

  #event(type: string, object: SeenObject): void {
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.see(type, object);
    // The version is too old by now: the next one begins with now again.
    if (type === 'ERROR') this.#version = undefined;
  }

  #ended(error: unknown): void {
    if (this.#closed) return;
    if (error) this.#version = undefined;
    this.#timer = setTimeout(() => void this.#open(), error ? REOPEN_MS : 0).unref();
  }
}

interface SeenObject {
  metadata?: { resourceVersion?: string };
}
