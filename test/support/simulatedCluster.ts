import type { Activities } from '../../activities/api.js';
import { crowdedMs, MOST_LINGERING } from '../../activities/linger.js';
import { sha256Hex } from '../../domain/digest.js';
import type { NodeRef } from '../../domain/plan.js';
import { MOST_STARTS } from '../../domain/pool/admit.js';
import { resolveLimits } from '../../domain/pool/limits.js';
import { width } from '../../domain/pool/ramp.js';
import { FakeCluster, failure } from '../workflow/fakeCluster.js';

/** Nodes a group: what EKS allows a managed node group. */
const GROUP_SIZE = 450;

/**
 * Thousands of nodes in memory behind the activities' contract. What FakeCluster would search through all nodes for is kept at
 * hand here, and each step of a node takes a while, so that many are in flight at once.
 */
export class SimulatedCluster {
  readonly #base = new FakeCluster(0);
  /** Still to be refreshed, in order. */
  readonly #old = new Map<string, NodeRef>();
  readonly #replacedBy = new Map<string, NodeRef>();
  readonly #members = new Map<string, Set<string>>();
  /** When a step that takes a while is through, epoch ms. */
  readonly #until = new Map<string, number>();
  #lingering = 0;
  #fresh = 0;
  /** Terminations of a node that had been terminated before, or that was never there. */
  readonly violations: string[] = [];
  widest = 0;

  constructor(
    readonly size: number,
    readonly stepMs: number,
  ) {
    for (let index = 0; index < size; index++) {
      const node = this.#node(`i-${String(index).padStart(17, '0')}`, `workers-${Math.floor(index / GROUP_SIZE)}`, index);
      this.#old.set(node.instanceId, node);
      this.#join(node);
    }
  }

  get refreshed(): number {
    return this.#replacedBy.size;
  }

  activities(): Activities {
    const base = this.#base.activities();
    const counts = () => ({ aws: this.#old.size, cilium: this.refreshed, pending: 0 });
    const done = { done: true, seen: 'done', blockers: [] };
    return {
      ...base,
      labelNodes: () => Promise.resolve({ labelled: this.#old.size, already: 0, onCilium: 0 }),
      countNodes: () => Promise.resolve(counts()),
      admitNodes: ({ flights, ramp, refresh }) => {
        const flying = new Set(flights.map(({ instanceId }) => instanceId));
        const { maxSurge, maxUnavailable } = resolveLimits(refresh, this.size);
        const most = maxSurge + maxUnavailable;
        const left = [...this.#old.values()].filter(({ instanceId }) => !flying.has(instanceId));
        const groups = [...new Set(left.map(({ group }) => group))];
        const start = left.slice(0, Math.min(MOST_STARTS, Math.max(0, width(ramp, { most, groups }) - flights.length))).map((node) => ({ node, decrement: false, surplus: false }));
        this.widest = Math.max(this.widest, flights.length + start.length);
        if (start.length === 0 && left.length > 0) throw failure('NotYet', 'no room');
        return Promise.resolve({ ...done, resize: false, start, counts: counts(), remaining: left.length, most, groups, leftAlone: [] });
      },
      prepareNode: () => {
        const workloads = Array.from({ length: 6 }, (_, index) => ({ kind: 'Deployment', namespace: 'shop', name: `app-${index}`, ready: 3 }));
        return Promise.resolve({ ...done, situation: { state: 'present', why: 'it is there' }, workloads });
      },
      lookDrained: async ({ node }) => {
        await this.#passed('drained', node);
        return { ...done, evicted: 6, blocking: [], volumes: [], notes: [] };
      },
      terminateNode: ({ node, decrement }) => {
        if (!this.#old.has(node.instanceId)) this.violations.push(`${node.instanceId} was terminated, and is not on aws-node`);
        return Promise.resolve({ instancesBefore: [...(this.#members.get(node.group) ?? [])], decremented: decrement });
      },
      lookTerminated: async ({ node }) => {
        await this.#passed('terminated', node);
        return { ...done, terminatedAt: new Date().toISOString() };
      },
      lookNodeGone: ({ node }) => {
        this.#replace(node);
        return Promise.resolve(done);
      },
      lookReplacement: async ({ node }) => {
        await this.#passed('replacement', node);
        const replacement = this.#replacedBy.get(node.instanceId);
        return { ...done, replacement: replacement ? { name: replacement.name, instanceId: replacement.instanceId, zone: replacement.zone } : null };
      },
      lookWorkloads: () => Promise.resolve(done),
      releaseNode: () => Promise.resolve(),
    };
  }

  /** The pages that were filed. */
  get pages(): FakeCluster['pages'] {
    return this.#base.pages;
  }

  /** Returns when its time has passed since this was first asked of the node: about stepMs, since no two nodes take the same. */
  async #passed(what: string, { instanceId }: NodeRef): Promise<void> {
    const key = `${what}/${instanceId}`;
    const takes = this.stepMs * (0.75 + 0.5 * share(key));
    const until = this.#until.get(key) ?? Date.now() + takes;
    this.#until.set(key, until);
    const left = until - Date.now();
    if (left > 0) {
      if (this.#lingering >= MOST_LINGERING) throw failure('NotYet', `${Math.ceil(left / 1000)} s to go`, crowdedMs(takes - left));
      this.#lingering++;
      await new Promise((resolve) => setTimeout(resolve, left));
      this.#lingering--;
    }
    this.#until.delete(key);
  }

  #replace(node: NodeRef): void {
    if (this.#replacedBy.has(node.instanceId)) return;
    this.#old.delete(node.instanceId);
    this.#members.get(node.group)?.delete(node.instanceId);
    const fresh = this.#node(`i-f${String(this.#fresh++).padStart(16, '0')}`, node.group, this.size + this.#fresh);
    this.#replacedBy.set(node.instanceId, fresh);
    this.#join(fresh);
  }

  #join({ group, instanceId }: NodeRef): void {
    const members = this.#members.get(group) ?? new Set<string>();
    members.add(instanceId);
    this.#members.set(group, members);
  }

  /** Names as long as EKS makes them. */
  #node(instanceId: string, group: string, index: number): NodeRef {
    const [high, low] = [Math.floor(index / 250) % 250, index % 250];
    const uid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    return { name: `ip-10-${Math.floor(index / 62_500)}-${high}-${low}.eu-west-1.compute.internal`, uid, instanceId, group: `eks-${group}-00000000-0000-4000-8000-000000000000`, zone: `eu-west-1${'abc'[index % 3]}` };
  }
}

/** Between 0 and 1, always the same for a text. */
function share(text: string): number {
  return Number.parseInt(sha256Hex(text).slice(0, 8), 16) / 0xffffffff;
}
