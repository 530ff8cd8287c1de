import { CoreV1Api, Watch } from '@kubernetes/client-node';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { Field } from '../support/field.js';

/** Epoch milliseconds; still open where `to` is undefined. */
interface Span {
  what: 'terminating' | 'agent starts' | 'joins';
  from: number;
  to?: number;
}

/**
 * What the cluster itself was busy with, by a watch of our own: pods that terminate, nodes that boot, agents that start. What
 * is left of a node's time after these is what the migrator cost.
 */
export class Timeline {
  readonly #spans: Span[] = [];
  readonly #open = new Map<string, Span>();
  readonly #stops: (() => void)[] = [];

  static async of(field: Field): Promise<Timeline> {
    const timeline = new Timeline();
    const core = field.kube.makeApiClient(CoreV1Api);
    const watch = new Watch(field.kube);
    const follow = async (path: string, version: string | undefined, see: (type: string, object: never) => void): Promise<void> => {
      const controller = await watch.watch(path, { resourceVersion: version }, (type, object) => see(type, object as never), () => undefined);
      timeline.#stops.push(() => controller.abort());
    };
    const [pods, nodes] = await Promise.all([core.listPodForAllNamespaces(), core.listNode()]);
    await follow('/api/v1/pods', pods.metadata?.resourceVersion, (type, pod: V1Pod) => timeline.#pod(type, pod));
    await follow('/api/v1/nodes', nodes.metadata?.resourceVersion, (type, node: V1Node) => timeline.#node(type, node));
    return timeline;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** When the cluster was busy by itself. A node's boot is known by its end and its length. */
  busy(bootDelay: number): { from: number; to: number }[] {
    return this.#spans.map(({ what, from, to }) => (what === 'joins' ? { from: from - bootDelay, to: from } : { from, to: to ?? from }));
  }

  #begin(key: string, what: Span['what']): void {
    if (this.#open.has(key)) return;
    const open: Span = { what, from: Date.now() };
    this.#open.set(key, open);
    this.#spans.push(open);
  }

  #end(key: string): void {
    const span = this.#open.get(key);
    if (span && span.to === undefined) span.to = Date.now();
  }

  #pod(type: string, pod: V1Pod): void {
    const { uid = '', deletionTimestamp, labels = {} } = pod.metadata ?? {};
    const node = pod.spec?.nodeName ?? '';
    if (deletionTimestamp !== undefined) this.#begin(`end/${uid}`, 'terminating');
    if (type === 'DELETED') this.#end(`end/${uid}`);
    if (labels['k8s-app'] !== 'cilium' || node === '') return;
    this.#begin(`agent/${uid}`, 'agent starts');
    if (pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')) this.#end(`agent/${uid}`);
  }

  #node(type: string, node: V1Node): void {
    if (type === 'ADDED') this.#begin(`node/${node.metadata?.uid}`, 'joins');
  }
}

/** Milliseconds of [from, to] that no span covers. */
export function uncovered(from: number, to: number, spans: { from: number; to: number }[]): number {
  let free = 0;
  let at = from;
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    if (span.to <= at) continue;
    if (span.from >= to) break;
    free += Math.max(0, span.from - at);
    at = Math.max(at, span.to);
  }
  return free + Math.max(0, to - at);
}
