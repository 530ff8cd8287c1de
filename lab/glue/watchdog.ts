import { isStatus } from '../cluster/client.js';
import { cniAnnotation } from '../cluster/stages.js';
import { mayRun } from './placement.js';
import type { PodPlacement } from './placement.js';
import { isReady, ownedBy, uidOf } from './types.js';
import type { Glue } from './glue.js';
import type { NodeView } from './cni.js';
import type { Cni, Instance, Node, Pod, Violation } from './types.js';

/** A pod that its instance took along while it ran: not drained. */
export interface KilledPod {
  pod: string;
  node: string;
  instance: string;
  at: string;
}

/** Notices what a migration must never do to a living node, and keeps it for the tests to ask. */
export class Watchdog {
  readonly violations: Violation[] = [];
  readonly killedPods: KilledPod[] = [];
  private readonly seen = new Set<string>();
  private readonly cniOf = new Map<string, Cni>();

  constructor(private readonly glue: Glue) {}

  step(view: NodeView): void {
    // Both are wanted on every node then, and neither takes the other's pods.
    if (this.glue.chained) return;
    const { node, agents, pods } = view;
    const key = uidOf(node);
    const running = { aws: agents.aws.some(isReady), cilium: agents.cilium.some(isReady) };
    if (running.aws && running.cilium) this.report('both-agents', view, 'aws-node and cilium run on one node');
    const before = this.cniOf.get(key);
    if (before === undefined) {
      if (running.cilium) this.cniOf.set(key, 'cilium');
      else if (running.aws) this.cniOf.set(key, 'aws');
      return;
    }
    const stranded = pods.filter((pod) => pod.metadata.annotations?.[cniAnnotation] === before && pod.status?.phase === 'Running');
    const other = before === 'aws' ? 'cilium' : 'aws';
    if (running[other] && !running[before]) {
      this.glue.work.run(`cni-swapped/${key}`, async () => {
        // What is known of AWS here may be some moments old, and a dead instance's Node may lose its label.
        const alive = await this.glue.world.stillRuns(view.instance.id);
        this.cniOf.set(key, other);
        if (!alive) return;
        this.report('cni-swapped', view, `${before} was replaced by ${other} on a running instance`);
        for (const pod of stranded) this.report('pod-lost-network', view, `${nameOf(pod)} had its address from ${before}`);
      });
    }
    this.noteRemoval(view, before, stranded);
  }

  /** An instance goes down: whatever still runs on it, and no DaemonSet brings back there, was not drained. */
  instanceEnds(node: Node, instance: Instance): void {
    for (const pod of this.glue.world.pods.values()) {
      if (pod.spec.nodeName !== node.metadata.name || pod.metadata.deletionTimestamp !== undefined) continue;
      if (pod.status?.phase !== 'Running' || ownedBy(pod, 'DaemonSet')) continue;
      const key = `killed/${uidOf(pod)}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      this.killedPods.push({ pod: nameOf(pod), node: node.metadata.name, instance: instance.id, at: new Date().toISOString() });
    }
  }

  private noteRemoval(view: NodeView, before: Cni, stranded: Pod[]): void {
    const key = `aws-gone/${uidOf(view.node)}`;
    if (before !== 'aws' || view.agents.aws.length > 0 || stranded.length === 0 || this.seen.has(`aws-node-removed/${uidOf(view.node)}`)) {
      this.glue.since.clear(key);
      return;
    }
    // A rolling update deletes the pod a moment before it makes the next one, and a controller may lag: ask what is wanted.
    const grace = 500;
    const age = this.glue.since.age(key);
    if (age < grace) {
      this.glue.wake(grace - age + 1);
      return;
    }
    this.glue.work.run(key, async () => {
      const wanted = await this.wantsAwsNode(view.node);
      if (wanted) this.glue.since.clear(key);
      else this.report('aws-node-removed', view, `no aws-node pod, but ${String(stranded.length)} pods run on its network: ${stranded.map(nameOf).slice(0, 5).join(', ')}`);
    });
  }

  private async wantsAwsNode(node: Node): Promise<boolean> {
    try {
      const daemonSet = await this.glue.client.get<{ spec: { template: { spec: PodPlacement } } }>('/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node');
      return mayRun(daemonSet.spec.template.spec, node);
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  private report(kind: Violation['kind'], view: NodeView, detail: string): void {
    const key = `${kind}/${uidOf(view.node)}${kind === 'pod-lost-network' ? `/${detail}` : ''}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.violations.push({ kind, node: view.node.metadata.name, instance: view.instance.id, detail, at: new Date().toISOString() });
    this.glue.log(`VIOLATION ${kind} on ${view.node.metadata.name}: ${detail}`);
  }
}

function nameOf(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
}
