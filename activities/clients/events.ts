import { setTimeout as sleep } from 'node:timers/promises';
import { asyncLocalStorage } from '@temporalio/activity';
import { Watch } from '@kubernetes/client-node';
import type { V1ListMeta, V1Node, V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import type { KubeClients } from './types.js';
import { keptOf } from './watched.js';

/** Something happened to an object. Only a hint to look again. */
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
  snapshot(): Promise<Snapshot>;
}

interface Watched {
  path: string;
  list: (kube: KubeClients, page: { limit: number; _continue?: string }) => Promise<{ metadata?: V1ListMeta; items: Kept[] }>;
}

type Kept = V1Node | V1Pod | V1PodDisruptionBudget;

const WATCHED: Record<ClusterEvent['kind'], Watched> = {
  Node: { path: '/api/v1/nodes', list: (kube, page) => kube.core.listNode(page) },
  Pod: { path: '/api/v1/pods', list: (kube, page) => kube.core.listPodForAllNamespaces(page) },
  PodDisruptionBudget: { path: '/apis/policy/v1/poddisruptionbudgets', list: (kube, page) => kube.policy.listPodDisruptionBudgetForAllNamespaces(page) },
};

/** The cluster as the watches tell it: a moment old, so for planning only. */
export interface Snapshot {
  nodes: V1Node[];
  pods: V1Pod[];
  budgets: V1PodDisruptionBudget[];
}

/** Objects a page, when a stream begins. */
const PAGE = 500;
/** Bookmarks come every minute; a stream that is silent for longer has no connection any more. */
const SILENT_MS = 150_000;
/** So long a snapshot waits for the streams to have begun. */
const BEGIN_MS = 20_000;
/** Nobody listens for so long: the streams are closed. */
const IDLE_MS = 60_000;
/** A stream that broke is opened again after this; whoever listens polls meanwhile. */
const REOPEN_MS = 2_000;
/** Events come in bursts (a pod's end is four of them): one look serves them all. */
const BURST_MS = 30;

/**
 * One watch per kind for a whole cluster, shared by everything that waits or plans in this process: opened with the first
 * listener, closed when nobody needs it any more. What is kept is a little of each object and a moment old: good enough to
 * plan with, while whatever is acted on is read again. Where watching is broken, listeners only wait out their time.
 */
export class ClusterEvents implements EventSource {
  readonly #listeners = new Set<Listener>();
  readonly #streams = new Map<ClusterEvent['kind'], Stream>();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly kube: KubeClients) {}

  listen(matters: (event: ClusterEvent) => boolean): Listening {
    const listener = new Listener(matters, () => this.#leave(listener));
    this.#listeners.add(listener);
    this.#needed();
    return listener;
  }

  /** @throws CiliateError Transient when the watches do not come up */
  async snapshot(): Promise<Snapshot> {
    this.#needed();
    if (this.#listeners.size === 0) this.#unneeded();
    const all = async <T extends Kept>(kind: ClusterEvent['kind']): Promise<T[]> => {
      const stream = this.#streams.get(kind);
      // A worker that stops sees nothing: that must not look like a cluster without nodes.
      if (stream === undefined) throw unwatchable(kind, new Error('this worker is stopping'));
      return (await stream.objects()) as T[];
    };
    const [nodes, pods, budgets] = await Promise.all([all<V1Node>('Node'), all<V1Pod>('Pod'), all<V1PodDisruptionBudget>('PodDisruptionBudget')]);
    return { nodes, pods, budgets };
  }

  #needed(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    // Outside the activity that comes first: the streams outlive it, and its cancellation.
    if (this.#streams.size === 0 && !this.#closed) asyncLocalStorage.exit(() => this.#open());
  }

  #unneeded(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#rest(), IDLE_MS).unref();
  }

  #open(): void {
    for (const kind of Object.keys(WATCHED) as ClusterEvent['kind'][]) {
      this.#streams.set(kind, new Stream(this.kube, kind, (type, object) => this.#tell({ kind, type, object } as ClusterEvent)));
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
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #tell(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener.tell(event);
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#unneeded();
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

/** A list and then a watch that is opened again until it is closed, and what it keeps. Listing is nobody's event. */
class Stream {
  readonly #kept = new Map<string, Kept>();
  #began: Promise<void>;
  #closed = false;
  #version: string | undefined;
  #request: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(
    private readonly kube: KubeClients,
    private readonly kind: ClusterEvent['kind'],
    private readonly see: (type: EventType, object: object) => void,
  ) {
    this.#began = this.#open();
  }

  /** What there is, as soon as it was listed. */
  async objects(): Promise<Kept[]> {
    for (const started = Date.now(); this.#version === undefined; ) {
      await Promise.race([this.#began, sleep(1_000, undefined, { ref: false })]);
      if (this.#version === undefined && (this.#closed || Date.now() - started > BEGIN_MS)) throw unwatchable(this.kind, this.#failure);
      if (this.#version === undefined) await sleep(50, undefined, { ref: false });
    }
    return [...this.#kept.values()];
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#request?.abort();
  }

  async #open(): Promise<void> {
    try {
      if (this.#version === undefined) await this.#list();
      if (this.#closed) return;
      const query = { resourceVersion: this.#version, allowWatchBookmarks: true, timeoutSeconds: 300 };
      this.#heard();
      const request = await new Watch(this.kube.config).watch(WATCHED[this.kind].path, query, (type, object) => this.#event(type, object as Kept), (error) => this.#ended(error));
      if (this.#closed) request.abort();
      else this.#request = request;
    } catch (error) {
      this.#ended(error);
    }
  }

  async #list(): Promise<void> {
    const seen = new Set<string>();
    let version: string | undefined;
    let next: string | undefined;
    do {
      const page = await WATCHED[this.kind].list(this.kube, { limit: PAGE, ...(next === undefined ? {} : { _continue: next }) });
      for (const object of page.items) {
        seen.add(uidOf(object));
        this.#kept.set(uidOf(object), keptOf(this.kind, object));
      }
      version = page.metadata?.resourceVersion;
      next = page.metadata?._continue || undefined;
    } while (next !== undefined);
    for (const uid of this.#kept.keys()) if (!seen.has(uid)) this.#kept.delete(uid);
    this.#version = version;
  }

  #event(type: string, object: Kept): void {
    this.#heard();
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    if (type === 'DELETED') this.#kept.delete(uidOf(object));
    if (type === 'ADDED' || type === 'MODIFIED') this.#kept.set(uidOf(object), keptOf(this.kind, object));
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.see(type, object);
    // The version is too old by now: all is listed again.
    if (type === 'ERROR') this.#version = undefined;
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#version = undefined;
      this.#request?.abort();
    }, SILENT_MS).unref();
  }

  #ended(error: unknown): void {
    if (this.#closed) return;
    this.#failure = error ?? undefined;
    if (error) this.#version = undefined;
    this.#timer = setTimeout(() => (this.#began = this.#open()), error ? REOPEN_MS : 0).unref();
  }
}

function unwatchable(kind: ClusterEvent['kind'], cause: unknown): CiliateError {
  const seen = cause instanceof Error ? cause.message : 'no answer';
  return new CiliateError('Transient', { object: `watch of ${WATCHED[kind].path}`, expected: 'a list and a watch', seen, todo: 'It is tried again; the verbs list and watch are needed.' }, { code: 'Unwatchable', cause });
}

function uidOf(object: Kept): string {
  return object.metadata?.uid ?? `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}
