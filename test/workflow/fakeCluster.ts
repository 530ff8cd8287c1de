import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Activities, CiliumRequest, Look, NodeSituation, PlanDigest } from '../../activities/api.js';
import type { BlockingPod } from '../../domain/force.js';
import type { FailureKind } from '../../domain/failures.js';
import type { NodeRef } from '../../domain/plan.js';
import { resolveLimits } from '../../domain/pool/limits.js';
import { room } from '../../domain/pool/ramp.js';
import { restartName } from '../../domain/kubernetes/restartOwner.js';
import type { RestartOwner } from '../../domain/kubernetes/restartOwner.js';
import type { Blocker, NodeResult } from '../../domain/refresh.js';
import type { NodeCounts } from '../../domain/status.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { ManifestInput } from '../../domain/spec/schema.js';

interface FakeNode extends NodeRef {
  cni: 'aws' | 'cilium';
  labelled: boolean;
  /** For the way back. */
  marked: boolean;
  cordoned: boolean;
  pods: number;
  instance: 'running' | 'terminated';
  nodeExists: boolean;
}

/**
 * A failure as the worker's interceptor would make it of a CiliateError.
 *
 * @param nextRetryDelay milliseconds; absent: the retry policy's
 */
export function failure(kind: FailureKind, message: string, nextRetryDelay?: number): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: kind,
    nonRetryable: kind === 'Permanent' || kind === 'NeedsHuman',
    ...(kind === 'NotYet' ? { category: ApplicationFailureCategory.BENIGN } : {}),
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
  });
}

/** Activities of a cluster where the first look at the guards that is beside nodes waits until it is let go. */
export function guardsHeldBeside(cluster: FakeCluster): { activities: () => Activities; looking: Promise<void>; letGo: () => void } {
  const acts = cluster.activities();
  let looks = (): void => undefined;
  const looking = new Promise<void>((resolve) => (looks = resolve));
  let letGo = (): void => undefined;
  const free = new Promise<void>((resolve) => (letGo = resolve));
  const holdGuards: Activities['holdGuards'] = async (request) => {
    if (cluster.calls.includes('admitNodes')) {
      looks();
      await free;
    }
    return acts.holdGuards(request);
  };
  return { activities: () => ({ ...acts, holdGuards }), looking, letGo };
}

/**
 * A cluster in memory behind the activities' contract: enough of one that a workflow's order, waits and endings show. It
 * checks what must never happen, so that every test checks it.
 */
export class FakeCluster {
  readonly nodes: FakeNode[] = [];
  readonly violations: string[] = [];
  /** Names of the activities that ran to their end, in order. */
  readonly calls: string[] = [];
  /** Thrown once each by the named activity, before it does anything. */
  readonly faults = new Map<keyof Activities, ApplicationFailure[]>();
  /** While a name is in here, its look is not done and shows this blocker. */
  readonly blocked = new Map<keyof Activities, Blocker>();
  /** Pods that no budget lets go, by instance id; deleted only where they are approved. */
  readonly holding = new Map<string, BlockingPod[]>();
  /** Instance ids whose replacements do not come up. */
  readonly bad = new Set<string>();
  /** Instance ids for which there is no room. */
  readonly crowded = new Set<string>();
  /** UIDs of pods that were deleted by approval. */
  readonly deleted: string[] = [];
  /** VolumeAttachments that are left behind a drain. */
  volumes: string[] = [];
  /** `returned`: off the marked nodes, for the way back. */
  awsNode: 'everywhere' | 'restricted' | 'returned' | 'gone' = 'everywhere';
  cilium: 'none' | CiliumRequest['phase'] = 'none';
  revision = 0;
  /** Filed results, by run and page. */
  readonly pages = new Map<string, NodeResult[]>();
  lease: string | null = null;
  readonly guards = new Set<string>();
  plan: Partial<PlanDigest> = {};
  searchAttributes = true;
  /** Instance ids that a surge has added. */
  readonly extra = new Set<string>();
  /** Groups whose zones are uneven: each call of evenZones takes one, and adds a node that is one too many. */
  uneven: string[] = [];
  /** Instance ids whose kubelet registers anew in the middle of their drain, once. */
  readonly anew = new Set<string>();
  /** The extra capacity of a surge was asked for. */
  resized = false;
  /** Owners with pods that Cilium does not know; those that are stuck never get done while lookRestarted is blocked. */
  owners: RestartOwner[] = [];
  readonly stuck = new Set<string>();
  readonly restarted: string[] = [];
  bare: string[] = [];
  /** Most nodes that were ever in flight. */
  widest = 0;
  /** Most extra nodes that ever went back at a time. */
  widestBack = 0;
  #made = 0;
  #first = true;

  constructor(size: number) {
    for (let i = 0; i < size; i++) this.nodes.push(this.#make('aws', i));
    this.#first = false;
  }

  /** What a migration has left behind that ended here. */
  static migrated(size: number, awsNode: 'restricted' | 'gone' = 'gone'): FakeCluster {
    const cluster = new FakeCluster(size);
    for (const node of cluster.nodes) node.cni = 'cilium';
    cluster.awsNode = awsNode;
    cluster.cilium = awsNode === 'gone' ? 'final' : 'migration';
    cluster.revision = 1;
    return cluster;
  }

  /** What strategy chain has left behind: each node runs both, which counts as Cilium's here. */
  static chained(size: number): FakeCluster {
    const cluster = FakeCluster.migrated(size);
    Object.assign(cluster, { awsNode: 'everywhere', cilium: 'final' });
    return cluster;
  }

  get marked(): number {
    return this.nodes.filter((node) => node.nodeExists && node.marked).length;
  }

  get labelled(): number {
    return this.nodes.filter((node) => node.nodeExists && node.labelled).length;
  }

  /** What a surge of so many has added: on Cilium, with pods. */
  surge(count: number): void {
    for (let i = 0; i < count; i++) {
      const node = { ...this.#make('cilium', i), name: `ip-10-0-1-${this.extra.size}`, pods: 2 };
      this.nodes.push(node);
      this.extra.add(node.instanceId);
    }
  }

  block(activity: keyof Activities, blocker: Partial<Blocker> = {}): void {
    this.blocked.set(activity, { object: 'Pod shop/cart-1', reason: 'PDB shop/cart needs 2 healthy, has 2', todo: 'scale it up', firm: true, ...blocker });
  }

  fail(activity: keyof Activities, ...failures: ApplicationFailure[]): void {
    this.faults.set(activity, [...(this.faults.get(activity) ?? []), ...failures]);
  }

  /** What the next runs must compare equal, killed or not. */
  snapshot(): object {
    return {
      zones: this.nodes.filter((node) => node.instance === 'running').map((node) => `${node.zone} ${node.cni}`).sort(),
      cordoned: this.nodes.filter((node) => node.nodeExists && node.cordoned).length,
      labelled: this.labelled,
      awsNode: this.awsNode,
      cilium: this.cilium,
      revision: this.revision,
      lease: this.lease,
      guards: [...this.guards].sort(),
    };
  }

  activities(): Activities {
    const all = this.#activities();
    const wrapped = Object.entries(all).map(([name, act]) => [
      name,
      async (input: unknown) => {
        const fault = this.faults.get(name as keyof Activities)?.shift();
        if (fault) throw fault;
        const result: unknown = await (act as (input: unknown) => Promise<unknown>)(input);
        this.calls.push(name);
        return result;
      },
    ]);
    return Object.fromEntries(wrapped) as Activities;
  }

  #activities(): Activities {
    return {
      temporalFacts: () => Promise.resolve({ holder: 'temporal/default/me', searchAttributes: this.searchAttributes }),
      readManifest: (input) => {
        const parsed = manifestSchema.safeParse(input);
        if (!parsed.success) throw failure('Permanent', parsed.error.message);
        return Promise.resolve(parsed.data);
      },
      preflight: () => Promise.resolve(this.#planDigest()),
      takeLease: ({ target }) => {
        if (this.lease && this.lease !== target.holder) throw failure('Permanent', `Lease kube-system/ciliate is held by ${this.lease}`);
        this.lease = target.holder;
        return Promise.resolve({ tookOverFrom: null });
      },
      renewLease: () => Promise.resolve(),
      releaseLease: () => {
        this.lease = null;
        return Promise.resolve();
      },
      saveCni: () => Promise.resolve(),
      holdGuards: ({ set }) => {
        this.guards.add(set);
        return Promise.resolve({ taken: [set] });
      },
      giveBackGuards: ({ set }) => {
        const given = set === 'whole' ? [...this.guards] : [set];
        for (const guard of given) this.guards.delete(guard);
        if (set === 'whole') for (const node of this.nodes) node.cordoned = false;
        return Promise.resolve({ given, left: [], missed: [] });
      },
      labelNodes: () => {
        const fresh = this.nodes.filter((node) => node.nodeExists && node.cni === 'aws' && !node.labelled);
        for (const node of fresh) node.labelled = true;
        return Promise.resolve({ labelled: fresh.length, already: this.labelled - fresh.length, onCilium: this.nodes.filter((node) => node.cni === 'cilium').length });
      },
      restrictAwsNode: () => {
        if (this.nodes.some((node) => node.nodeExists && node.cni === 'aws' && !node.labelled)) this.violations.push('aws-node restricted before its nodes were labelled');
        this.awsNode = this.awsNode === 'gone' ? 'gone' : 'restricted';
        return Promise.resolve({ how: 'patched' as const });
      },
      lookAwsNodeRestricted: ({ known }) => this.#look('lookAwsNodeRestricted', known),
      ensureCilium: ({ phase: wanted, target, manifest: { spec } }) => {
        const chained = spec.strategy === 'chain';
        if (chained && this.awsNode !== 'everywhere') this.violations.push('chained on an aws-node that is not everywhere');
        const phase = target.toward === 'aws-node' && this.cilium === 'rollback' ? 'rollback' : wanted;
        if (!chained && this.awsNode === 'everywhere') this.violations.push('Cilium installed beside an unrestricted aws-node');
        if (phase === 'enforcement' && this.labelled > 0) this.violations.push('enforcement on while nodes are on aws-node');
        if (phase !== 'rollback' && this.awsNode === 'returned') this.violations.push('Cilium let onto the nodes of aws-node');
        if (!chained && phase === 'final' && this.awsNode !== 'gone') this.violations.push('migration affinity dropped while aws-node is there');
        const changed = this.cilium !== phase;
        if (changed) this.revision += 1;
        this.cilium = phase;
        return Promise.resolve({ revision: this.revision, changed, phase, finalValues: `phase: ${phase}\n` });
      },
      lookCilium: async ({ known }) => ({ ...(await this.#look('lookCilium', known)), agents: this.nodes.filter((node) => node.cni === 'cilium').length }),
      unwindInstall: () => {
        if (this.nodes.some((node) => node.instance === 'running' && node.cni === 'cilium')) return Promise.resolve({ unwound: false, why: 'a node runs Cilium' });
        if (this.awsNode === 'gone') return Promise.resolve({ unwound: false, why: 'aws-node is gone' });
        this.cilium = 'none';
        this.awsNode = 'everywhere';
        for (const node of this.nodes) node.labelled = node.marked = false;
        return Promise.resolve({ unwound: true, why: 'no node ran Cilium: the install was unwound' });
      },
      countNodes: ({ target }) => Promise.resolve(this.#counts(target)),
      admitNodes: ({ target, exclude, later, flights, ramp, refresh }) => {
        const old = this.nodes.filter((node) => node.nodeExists && (target.toward === 'aws-node' ? node.marked : node.labelled));
        // Cilium nodes go when no other is left.
        const open = old.length > 0 ? old : this.#extraNodes();
        const all = open.filter((node) => !exclude.includes(node.instanceId) && !exclude.includes(node.name) && !flights.some((flight) => flight.instanceId === node.instanceId));
        const others = all.filter((node) => !later.includes(node.instanceId));
        const left = others.length > 0 || flights.length > 0 ? others : all;
        const limits = resolveLimits(refresh, this.nodes.filter((node) => node.instance === 'running').length);
        const most = limits.maxSurge + limits.maxUnavailable;
        const groups = [...new Set(left.map(({ group }) => group))];
        const resize = limits.maxSurge > 0 && left.length > 0 && !this.resized;
        const free = resize ? 0 : Math.max(0, room(ramp, { most, groups, failing: flights.filter(({ failing }) => failing === true).length }) - flights.length);
        const start = left.slice(0, free).map((node) => ({ node: ref(node), decrement: this.extra.has(node.instanceId), surplus: this.extra.has(node.instanceId) }));
        this.widest = Math.max(this.widest, flights.length + start.length);
        if (start.length === 0 && left.length > 0 && !resize) throw failure('NotYet', 'no room');
        return Promise.resolve({ resize, done: true, seen: 'done', blockers: [], start, counts: this.#counts(target), remaining: left.length, most, groups, leftAlone: [] });
      },
      resizeGroups: () => {
        this.resized = true;
        return Promise.resolve({ notes: [] });
      },
      admitSurplus: ({ target, exclude, flights, refresh, known }) => {
        const left = this.#extraNodes().filter((node) => ![...exclude, ...flights.map(({ instanceId }) => instanceId)].some((other) => other === node.instanceId || other === node.name));
        const most = resolveLimits({ ...refresh, maxSurge: 0 }, this.nodes.length).maxUnavailable;
        const start = left.slice(0, Math.max(0, most - flights.length)).map((node) => ({ node: ref(node), decrement: true, surplus: true }));
        this.widestBack = Math.max(this.widestBack, flights.length + start.length);
        if (start.length === 0 && left.length > 0 && known !== '') throw failure('NotYet', 'no room');
        return Promise.resolve({ resize: false, done: start.length > 0 || left.length === 0, seen: 'seen', blockers: [], start, counts: this.#counts(target), remaining: left.length, most, groups: [], leftAlone: [] });
      },
      evenZones: ({ tried }) => {
        const group = tried === null ? undefined : this.uneven.find((name) => !(name in tried));
        if (group === undefined) return Promise.resolve({ raised: {}, notes: this.uneven.map((name) => `ASG ${name}: its zones are left uneven`) });
        this.uneven = this.uneven.filter((name) => name !== group);
        this.surge(1);
        return Promise.resolve({ raised: { [group]: 1 }, notes: [] });
      },
      prepareNode: async ({ target, node, surplus, known }) => {
        const fresh = freshOf(target);
        this.#mustHold('prepareNode');
        const seen = this.#find(node);
        const state: NodeSituation['state'] = !seen ? 'gone' : seen.cni === fresh && !surplus ? 'hands-off' : seen.instance === 'running' ? (seen.nodeExists ? 'present' : 'node-gone') : seen.nodeExists ? 'instance-gone' : 'gone';
        const situation = { state, why: state };
        if (state !== 'present') return { done: true, seen: state, blockers: [], situation, workloads: [] };
        const looked = this.crowded.has(node.instanceId) ? this.#blockedBy({ object: 'Deployment shop/cart', reason: '1 of 2 replicas are ready, all of them on this node', todo: 'kubectl describe', firm: false }, known) : await this.#look('prepareNode', known);
        if (looked.done && seen) seen.cordoned = true;
        return { ...looked, situation, workloads: [{ kind: 'Deployment', namespace: 'shop', name: 'cart', ready: 2 }] };
      },
      lookDrained: async ({ node, known, forced = [] }) => {
        this.#mustHold('lookDrained');
        const seen = this.#find(node);
        if (!seen?.cordoned) this.violations.push(`${node.name} drained without a cordon`);
        if (seen && this.anew.delete(node.instanceId)) {
          seen.cordoned = false;
          return { done: true, seen: 'gone', blockers: [], evicted: 0, blocking: [], volumes: [], notes: [], gone: `instance ${node.instanceId} registered anew` };
        }
        const holding = this.#holding(node.instanceId, forced);
        const looked = holding.length > 0 ? this.#held(holding, known) : await this.#look('lookDrained', known);
        const evicted = looked.done && seen ? seen.pods : 0;
        if (looked.done && seen) seen.pods = 0;
        return { ...looked, evicted, blocking: holding, volumes: looked.done ? this.volumes : [], notes: [] };
      },
      lookDetached: async ({ known }) => ({ ...(await this.#look('lookDetached', known)), notes: ['a volume was not detached'] }),
      terminateNode: ({ target, node, decrement }) => {
        const fresh = freshOf(target);
        this.#mustHold('terminateNode');
        const seen = this.#find(node);
        if (seen && seen.nodeExists && seen.pods > 0) this.violations.push(`${node.name} terminated with pods on it`);
        if (seen?.cni === fresh && !this.extra.has(seen.instanceId)) this.violations.push(`${node.name} is on ${fresh} and was terminated`);
        if (target.chained === true) {
          if (this.cilium !== 'rollback' || seen?.marked === false) this.violations.push(`${node.name} was terminated while new nodes get Cilium`);
        } else if (fresh === 'aws' && this.awsNode !== 'returned') this.violations.push(`${node.name} was terminated before aws-node could come to a new one`);
        const before = this.nodes.filter((other) => other.instance === 'running').map((other) => other.instanceId);
        if (seen?.instance === 'running') {
          seen.instance = 'terminated';
          if (!decrement) this.nodes.push({ ...this.#make(fresh, this.nodes.indexOf(seen)), group: seen.group });
        }
        return Promise.resolve({ instancesBefore: before, decremented: decrement });
      },
      lookTerminated: async ({ known }) => ({ ...(await this.#look('lookTerminated', known)), terminatedAt: new Date(0).toISOString() }),
      lookNodeGone: async ({ node, known }) => {
        const looked = await this.#look('lookNodeGone', known);
        const seen = this.#find(node);
        if (looked.done && seen) seen.nodeExists = false;
        return looked;
      },
      lookReplacement: async ({ node, instancesBefore, known }) => {
        if (this.bad.has(node.instanceId)) return { ...this.#blockedBy({ object: `Instance of ${node.name}`, reason: 'is not Ready', todo: 'look at it', firm: true }, known), replacement: null };
        const fresh = this.nodes.find((node) => node.instance === 'running' && !instancesBefore.includes(node.instanceId));
        return { ...(await this.#look('lookReplacement', known)), replacement: fresh ? { name: fresh.name, instanceId: fresh.instanceId, zone: fresh.zone } : null };
      },
      lookWorkloads: ({ known }) => this.#look('lookWorkloads', known),
      lookProbes: async ({ known }) => ({ ...(await this.#look('lookProbes', known)), notes: [] }),
      endProbes: () => Promise.resolve(),
      releaseNode: ({ node }) => {
        const seen = this.#find(node);
        if (seen) seen.cordoned = false;
        return Promise.resolve();
      },
      fileNodes: ({ run, page, nodes }) => {
        this.pages.set(`${run}/${page}`, nodes);
        return Promise.resolve();
      },
      readNodePage: ({ run, page }) => Promise.resolve(this.pages.get(`${run}/${page}`) ?? null),
      nextRestart: ({ left }) => {
        const waiting = this.owners.filter((owner) => !left.includes(restartName(owner)));
        return Promise.resolve({ owner: waiting[0] ?? null, waiting: waiting.length, pods: waiting.length, bare: this.bare, bareCount: this.bare.length });
      },
      lookRestarted: async ({ owner, known }) => {
        if (this.lease === null) this.violations.push('lookRestarted without the Lease');
        if (this.stuck.has(owner.name)) return { ...(await this.#look('lookRestarted', known)), evicted: 0, rolled: false };
        this.owners = this.owners.filter((other) => other.name !== owner.name);
        this.restarted.push(owner.name);
        return { done: true, seen: 'done', blockers: [], evicted: 1, rolled: false };
      },
      lookProven: async ({ known }) => ({ ...(await this.#look('lookProven', known)), proofs: ['no node is labelled'], unmanaged: 0, digest: 'proof' }),
      removeAwsNode: ({ clean }) => {
        if (this.labelled > 0 && clean === undefined) this.violations.push('aws-node removed while nodes need it');
        const removed = this.awsNode === 'gone' ? [] : ['DaemonSet aws-node'];
        this.awsNode = 'gone';
        return Promise.resolve({ removed });
      },
      shutOldNodes: () => Promise.resolve({ shut: this.labelled }),
      lookChained: async ({ known }) => ({ ...(await this.#look('lookChained', known)), proofs: ['every pod has an endpoint'] }),
      lookAwsNodeGone: ({ known }) => this.#look('lookAwsNodeGone', known),
      planRollback: () => Promise.resolve({ ...this.#planDigest(), mode: this.cilium === 'none' ? ('done' as const) : ('resume' as const), shows: ['situation half-way'], ...this.plan }),
      markCilium: () => {
        const fresh = this.nodes.filter((node) => node.nodeExists && node.cni === 'cilium' && !node.marked);
        for (const node of fresh) node.marked = true;
        return Promise.resolve({ marked: fresh.length, already: this.marked - fresh.length });
      },
      unmarkCilium: () => {
        if (this.cilium === 'rollback') this.violations.push('marks taken off while Cilium is confined to them');
        const unmarked = this.marked;
        for (const node of this.nodes) node.marked = false;
        return Promise.resolve({ unmarked });
      },
      lookCiliumConfined: ({ known }) => this.#look('lookCiliumConfined', known),
      restoreAwsNode: ({ target }) => {
        if (target.chained === true) this.violations.push('aws-node changed where Cilium is chained on it');
        if (this.cilium !== 'rollback') this.violations.push('aws-node restored while Cilium goes to new nodes');
        if (this.nodes.some((node) => node.nodeExists && node.cni === 'cilium' && !node.marked)) this.violations.push('aws-node restored before the nodes of Cilium were marked');
        this.awsNode = 'returned';
        return Promise.resolve({ how: 'patched' as const });
      },
      lookAwsNodeRestored: ({ known }) => this.#look('lookAwsNodeRestored', known),
      lookReturned: async ({ known }) => ({ ...(await this.#look('lookReturned', known)), proofs: ['no node runs Cilium'] }),
      reopenCilium: () => {
        if (this.awsNode === 'returned') return Promise.resolve({ why: 'new nodes come up on aws-node' });
        this.cilium = 'migration';
        return Promise.resolve({ why: 'Cilium goes to new nodes again' });
      },
    };
  }

  #extraNodes(): FakeNode[] {
    return this.nodes.filter((node) => this.extra.has(node.instanceId) && node.instance === 'running');
  }

  #look(activity: keyof Activities, known: string): Promise<Look> {
    const blocker = this.blocked.get(activity);
    return Promise.resolve(blocker ? this.#blockedBy(blocker, known) : { done: true, seen: 'done', blockers: [] });
  }

  #blockedBy(blocker: Blocker, known: string): Look {
    const seen = JSON.stringify(blocker);
    if (seen === known) throw failure('NotYet', `${blocker.object}: ${blocker.reason}`);
    return { done: false, seen, blockers: [blocker] };
  }

  #counts({ toward }: { toward?: string | undefined } = {}): NodeCounts {
    const there = (cni: FakeNode['cni']): number => this.nodes.filter((node) => node.instance === 'running' && node.cni === cni).length;
    if (toward === 'aws-node') return { aws: there('aws'), cilium: there('cilium'), pending: 0 };
    return { aws: this.labelled, cilium: this.nodes.filter((node) => node.cni === 'cilium').length, pending: 0 };
  }

  /** Pods that hold the node, after those that are approved are deleted. */
  #holding(instanceId: string, forced: string[]): BlockingPod[] {
    const all = this.holding.get(instanceId) ?? [];
    this.deleted.push(...all.filter(({ uid }) => forced.includes(uid)).map(({ uid }) => uid));
    const left = all.filter(({ uid }) => !forced.includes(uid));
    if (left.length < all.length) this.holding.set(instanceId, left);
    return left;
  }

  #held(holding: BlockingPod[], known: string): Look {
    const seen = holding.map(({ uid }) => uid).join(',');
    if (seen === known) throw failure('NotYet', 'lookDrained: held');
    const blockers = holding.map(({ namespace, name, reason, since }) => ({ object: `Pod ${namespace}/${name}`, reason, since, todo: 'scale it up', firm: true }));
    return { done: false, seen, blockers };
  }

  #mustHold(activity: string): void {
    if (this.lease === null) this.violations.push(`${activity} without the Lease`);
    if (!this.guards.has('changing')) this.violations.push(`${activity} without the guards`);
  }

  #find(node: NodeRef): FakeNode | undefined {
    return this.nodes.find((other) => other.instanceId === node.instanceId);
  }

  #planDigest(): PlanDigest {
    const done = this.cilium === 'final' && this.awsNode === 'gone';
    return {
      mode: done ? 'done' : this.cilium === 'none' ? 'migrate' : 'resume',
      installDigest: 'install-digest',
      chart: { version: '1.20.0', sha256: 'a'.repeat(64), source: 'test' },
      masquerade: { enabled: true, interfaces: 'eth0', why: 'test' },
      valuesFacts: {},
      nodes: this.labelled,
      findings: [],
      blocked: false,
      shows: ['chart 1.20.0'],
      enforcement: { digest: 'enforcement-digest', shows: ['policyEnforcementMode: default'] },
      ...this.plan,
    };
  }

  #make(cni: 'aws' | 'cilium', index: number): FakeNode {
    const id = String(++this.#made).padStart(3, '0');
    return {
      // The replacement takes its predecessor's name, as EC2 may: nothing may depend on names.
      name: `ip-10-0-0-${index}`,
      uid: `uid-${id}`,
      instanceId: `i-${id}`,
      group: 'workers',
      zone: `zone-${'abc'[index % 3]}`,
      cni,
      labelled: false,
      marked: false,
      cordoned: false,
      pods: this.#first ? 3 : 0,
      instance: 'running',
      nodeExists: true,
    };
  }
}

/** A pod that a budget holds. */
export function holdingPod(name: string): BlockingPod {
  return { uid: `uid-${name}`, namespace: 'shop', name, owner: `Deployment ${name}`, budget: `shop/${name}`, reason: `PDB shop/${name} needs 1 healthy, has 1`, since: '2026-01-01T00:00:00Z' };
}

/** What new nodes come up on. */
function freshOf({ toward }: { toward?: string | undefined }): FakeNode['cni'] {
  return toward === 'aws-node' ? 'aws' : 'cilium';
}

function ref({ name, uid, instanceId, group, zone }: FakeNode): NodeRef {
  return { name, uid, instanceId, group, zone };
}

/** A manifest that passes, with no gates unless asked for. */
export function manifest(name: string, spec: Partial<ManifestInput['spec']> = {}): ManifestInput {
  return {
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'ClusterMigration',
    metadata: { name },
    spec: { cluster: { kubeconfig: '/nowhere/kubeconfig' }, cilium: { version: '1.20.0' }, soakSeconds: 0, approvals: [], ...spec },
  };
}
