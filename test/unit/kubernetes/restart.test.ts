import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodLike } from '../../../domain/kubernetes/resources.js';
import { restartDecision, restartStep } from '../../../domain/kubernetes/restart.js';
import type { BudgetSeen, LackingPod, RestartSeen, WorkloadSeen } from '../../../domain/kubernetes/restart.js';
import { restartName, restartOrder, rootOf } from '../../../domain/kubernetes/restartOwner.js';
import { takesAtOnce } from '../../../domain/kubernetes/rollingUpdate.js';
import type { UpdateStrategy } from '../../../domain/kubernetes/rollingUpdate.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const MARK = 'run-1';
const owner = (kind = 'Deployment') => ({ kind, namespace: 'shop', name: 'cart' });

function lacking(name: string, over: Partial<LackingPod<PodLike>> & { ready?: boolean; ageMs?: number } = {}): LackingPod<PodLike> {
  const { ready = true, ageMs = 3_600_000, ...rest } = over;
  const pod: PodLike = {
    metadata: { namespace: 'shop', name, creationTimestamp: new Date(NOW - ageMs) },
    spec: { nodeName: 'ip-1' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
  return { pod, budgets: [], late: false, ...rest };
}

function workload(over: Partial<WorkloadSeen> = {}): WorkloadSeen {
  const wanted = over.wanted ?? 5;
  return { strategy: { type: 'RollingUpdate' }, paused: false, wanted, observed: true, updated: wanted, total: wanted, ready: wanted, available: wanted, stalled: false, mark: undefined, ...over };
}

function budget(over: Partial<BudgetSeen> = {}): BudgetSeen {
  return { name: 'cart', currentHealthy: 5, desiredHealthy: 3, expectedPods: 5, disruptionsAllowed: 2, stale: false, ...over };
}

function seen(over: Partial<RestartSeen> = {}): RestartSeen {
  const of = 'workload' in over ? over.workload : workload();
  const wanted = of?.wanted ?? 5;
  return { owner: owner(), workload: of, mark: MARK, pods: { ready: wanted, unready: 0 }, replacing: false, without: [lacking('cart-1'), lacking('cart-2')], budgets: [], now: NOW, ...over };
}

const rolling = (strategy: Partial<UpdateStrategy> = {}, over: Partial<WorkloadSeen> = {}): WorkloadSeen => workload({ strategy: { type: 'RollingUpdate', ...strategy }, ...over });

describe('what a rolling update takes away at once', () => {
  it.each([
    ['Deployment', {}, 4, 1],
    ['Deployment', {}, 3, 0],
    ['Deployment', { maxUnavailable: '50%' }, 5, 2],
    ['Deployment', { maxUnavailable: '29%', maxSurge: 0 }, 100, 29],
    ['Deployment', { maxUnavailable: 9 }, 3, 3],
    ['Deployment', { maxUnavailable: 0, maxSurge: 1 }, 3, 0],
    ['Deployment', { maxUnavailable: '1%', maxSurge: 0 }, 3, 1],
    ['Deployment', { maxUnavailable: '1%', maxSurge: '1%' }, 3, 0],
    ['StatefulSet', {}, 5, 1],
    ['StatefulSet', { maxUnavailable: '50%' }, 5, 2],
    ['StatefulSet', { maxUnavailable: '10%' }, 5, 1],
    ['DaemonSet', {}, 5, 1],
    ['DaemonSet', { maxUnavailable: '30%' }, 5, 2],
    ['DaemonSet', { maxUnavailable: 0, maxSurge: 1 }, 5, 0],
    ['StatefulSet', {}, 0, 0],
  ])('%s %j of %i: %i', (kind, strategy, wanted, expected) => expect(takesAtOnce(kind, { type: 'RollingUpdate', ...strategy }, wanted)).toBe(expected));

  it('all of them by Recreate', () => expect(takesAtOnce('Deployment', { type: 'Recreate' }, 4)).toBe(4));
});

describe('an owner is', () => {
  const act = (over: Partial<RestartSeen>): string => restartDecision(seen(over)).act;
  it.each<[string, Partial<RestartSeen>, string]>([
    ['done when none lacks an endpoint and it is whole', { without: [] }, 'done'],
    ['done without one, though paused', { without: [], workload: workload({ paused: true, updated: 2 }) }, 'done'],
    ['not done while one of its pods is not ready', { without: [], pods: { ready: 4, unready: 1 } }, 'wait'],
    ['not done before its rollout is over', { without: [], workload: workload({ updated: 4 }) }, 'wait'],
    ['rolled: Deployment', {}, 'rollout'],
    ['rolled: StatefulSet', { owner: owner('StatefulSet') }, 'rollout'],
    ['rolled: DaemonSet', { owner: owner('DaemonSet') }, 'rollout'],
    ['rolled though another run has rolled it', { workload: workload({ mark: 'run-0' }) }, 'rollout'],
    ['rolled: Recreate without a budget', { workload: workload({ strategy: { type: 'Recreate' } }) }, 'rollout'],
    ['evicted: Recreate with a budget', { workload: workload({ strategy: { type: 'Recreate' } }), budgets: [budget()] }, 'evict'],
    ['evicted: OnDelete', { owner: owner('DaemonSet'), workload: workload({ strategy: { type: 'OnDelete' }, updated: 0 }) }, 'evict'],
    ['evicted: StatefulSet with a partition', { owner: owner('StatefulSet'), workload: rolling({ partition: 2 }, { updated: 3 }) }, 'evict'],
    ['evicted: ReplicaSet', { owner: owner('ReplicaSet'), workload: workload({ strategy: { type: undefined } }) }, 'evict'],
    ['evicted: Job', { owner: owner('Job'), workload: undefined }, 'evict'],
    ['evicted: a bare pod, ready or not', { owner: owner('Pod'), workload: undefined, pods: { ready: 0, unready: 1 } }, 'evict'],
    ['rolled while its budget allows all that it takes', { workload: rolling({ maxUnavailable: 2 }), budgets: [budget()] }, 'rollout'],
    ['awaited while its budget allows fewer', { workload: rolling({ maxUnavailable: 2 }), budgets: [budget({ disruptionsAllowed: 1, currentHealthy: 4 })] }, 'wait'],
    ['awaited where one of two budgets allows fewer', { workload: rolling({ maxUnavailable: 1 }), budgets: [budget(), budget({ name: 'b', disruptionsAllowed: 0, currentHealthy: 3 })] }, 'wait'],
    ['evicted where its budget would never allow so many', { workload: rolling({ maxUnavailable: 3 }), budgets: [budget()] }, 'evict'],
    ['rolled where it takes none away, whatever the budget', { workload: rolling({ maxUnavailable: 0, maxSurge: 1 }), budgets: [budget({ disruptionsAllowed: 0, desiredHealthy: 5 })] }, 'rollout'],
    ['awaited while another rolls it', { workload: workload({ updated: 1 }) }, 'wait'],
    ['awaited while its controller lags', { workload: workload({ observed: false }) }, 'wait'],
    ['awaited while an old pod is left', { workload: workload({ total: 6 }) }, 'wait'],
    ['awaited while the status is behind its pods', { pods: { ready: 4, unready: 0 } }, 'wait'],
    ['awaited while the pods are ahead of its status', { workload: workload({ ready: 4 }) }, 'wait'],
    ['awaited: a Job with a pod that is not ready', { owner: owner('Job'), workload: undefined, pods: { ready: 4, unready: 1 } }, 'wait'],
    ['awaited: a Job whose evicted pod has no successor', { owner: owner('Job'), workload: undefined, replacing: true }, 'wait'],
    ['not rolled for pods that have just started', { without: [lacking('cart-9', { ageMs: 5_000 })] }, 'wait'],
  ])('%s', (_name, over, expected) => expect(act(over)).toBe(expected));

  it('evicted one pod at a time: the one that is not ready first, then by name', () => {
    const evicted = (without: LackingPod<PodLike>[]): string | undefined => {
      const decision = restartDecision(seen({ owner: owner('Job'), workload: undefined, without }));
      return decision.act === 'evict' ? decision.pod.metadata?.name : undefined;
    };
    expect(evicted([lacking('b'), lacking('a'), lacking('c')])).toBe('a');
    expect(evicted([lacking('b'), lacking('a'), lacking('c', { ready: false })])).toBe('c');
    expect(evicted([lacking('b'), lacking('a', { late: true }), lacking('c')])).toBe('b');
    expect(evicted([lacking('b'), lacking('a', { ageMs: 1_000 })])).toBe('b');
  });
});

describe('what is waited for is said', () => {
  const waits = (over: Partial<RestartSeen>) => {
    const decision = restartDecision(seen(over));
    return decision.act === 'wait' ? decision.blockers : [];
  };
  it.each<[string, Partial<RestartSeen>, object]>([
    ['a rollout', { workload: workload({ updated: 3, available: 4 }) }, { object: 'Deployment shop/cart', reason: '3 of 5 pods are new', todo: expect.stringContaining('kubectl -n shop rollout status deployment/cart') }],
    ['one that was given up', { workload: workload({ updated: 3, stalled: true }) }, { reason: '3 of 5 pods are new', firm: true, todo: expect.stringContaining('gave the rollout up') }],
    ['old pods', { workload: workload({ total: 7 }) }, { reason: 'all 5 pods are new, and 2 old ones are not gone yet' }],
    ['readiness', { pods: { ready: 3, unready: 2 } }, { reason: '3 of 5 pods are ready' }],
    ['a paused Deployment', { workload: workload({ paused: true }) }, { reason: 'it is paused, so it replaces no pod', todo: 'kubectl -n shop rollout resume deployment/cart', firm: true }],
    ['a rollout that did not help', { workload: workload({ mark: MARK }) }, { reason: 'its rollout is over, and 2 of its pods still have no CiliumEndpoint (cart-1, cart-2)', firm: true }],
    ['pods that Cilium should have networked', { owner: owner('Job'), workload: undefined, without: [lacking('job-1', { late: true })] }, { reason: 'they were started with Cilium on their nodes, and 1 of its pods still have no CiliumEndpoint (job-1)', firm: true, todo: expect.stringContaining('spec.nodeName=ip-1') }],
    ['two budgets', { without: [lacking('cart-1', { budgets: ['a', 'b'] })] }, { object: 'Pod shop/cart-1', reason: 'more than one PodDisruptionBudget matches it (a, b), which the Eviction API refuses', todo: 'Leave one: kubectl -n shop get pdb', firm: true }],
    ['old figures', { budgets: [budget({ stale: true })] }, { reason: 'the figures of PDB shop/cart are of an older spec' }],
    ['a budget', { workload: rolling({ maxUnavailable: 1 }), budgets: [budget({ currentHealthy: 3, disruptionsAllowed: 0 })] }, { reason: 'PDB shop/cart needs 3 healthy, has 3 (owner Deployment cart)', todo: 'Free once 1 more of its pods is Ready: kubectl -n shop get pods' }],
    ['a budget that allows too few', { workload: rolling({ maxUnavailable: 2 }), budgets: [budget({ currentHealthy: 4, disruptionsAllowed: 1 })] }, { reason: 'PDB shop/cart needs 3 healthy, has 4 (owner Deployment cart), and its rollout takes 2 at once', todo: 'Free once 1 more of its pods is Ready: kubectl -n shop get pods' }],
  ])('%s', (_name, over, expected) => {
    const [first, ...more] = waits(over);
    expect(first).toMatchObject(expected);
    expect(more).toEqual([]);
    if (!('firm' in expected)) expect(first?.firm).toBeUndefined();
  });
});

/** Kubernetes' own words, once more and differently: exact fractions, no floating point. */
function oracleTakes(kind: string, { maxUnavailable, maxSurge }: UpdateStrategy, wanted: number): number {
  const part = (value: number | string, up: boolean): number => {
    if (typeof value === 'number') return value;
    const hundredths = Number(value.slice(0, -1)) * wanted;
    const down = (hundredths - (hundredths % 100)) / 100;
    return up && hundredths % 100 > 0 ? down + 1 : down;
  };
  let away: number;
  if (kind === 'Deployment') {
    away = part(maxUnavailable ?? '25%', false);
    if (away === 0 && part(maxSurge ?? '25%', true) === 0) away = 1;
  } else if (kind === 'DaemonSet') {
    away = part(maxSurge ?? 0, true) > 0 ? 0 : Math.max(1, part(maxUnavailable ?? 1, true));
  } else away = Math.max(1, part(maxUnavailable ?? 1, false));
  return away > wanted ? wanted : away;
}

const limit = fc.option(fc.oneof(fc.nat(6), fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`)), { nil: undefined });
const kinds = fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet');

describe('whatever is seen', () => {
  const count = fc.nat(8);
  const anything = fc.record({
    owner: fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet').map(owner),
    workload: fc.record({
      strategy: fc.record({ type: fc.constantFrom('RollingUpdate', 'RollingUpdate', 'Recreate', 'OnDelete'), maxUnavailable: limit, maxSurge: limit, partition: fc.constantFrom(undefined, 0, 1) }),
      paused: fc.boolean(),
      wanted: fc.nat(6),
      observed: fc.boolean(),
      updated: count,
      total: count,
      ready: count,
      available: count,
      stalled: fc.boolean(),
      mark: fc.constantFrom(undefined, 'run-0', MARK),
    }),
    mark: fc.constant(MARK),
    pods: fc.record({ ready: count, unready: count }),
    replacing: fc.constant(false),
    without: fc.array(
      fc.record({ ready: fc.boolean(), ageMs: fc.constantFrom(1_000, 90_000_000), late: fc.boolean(), budgets: fc.constantFrom([], ['a'], ['a', 'b']) }).map((over) => lacking('p', over)),
      { maxLength: 3 },
    ),
    budgets: fc.array(fc.record({ name: fc.constant('a'), currentHealthy: count, desiredHealthy: count, expectedPods: count, disruptionsAllowed: count, stale: fc.boolean() }), { maxLength: 2 }),
    now: fc.constant(NOW),
  });

  it('nothing is restarted that is not whole, is paused, was restarted by this run, or may not go', () => {
    const acts = new Set<string>();
    fc.assert(
      fc.property(anything, (given) => {
        const decision = restartDecision(given);
        acts.add(decision.act);
        const { workload: of, pods, without, budgets } = given;
        if (decision.act === 'wait') expect(decision.blockers.every(({ object, reason, todo }) => object !== '' && reason !== '' && todo !== '')).toBe(true);
        if (decision.act === 'wait') expect(decision.blockers.length).toBeGreaterThan(0);
        else expect(Math.min(of.ready, pods.ready)).toBeGreaterThanOrEqual(of.wanted);
        if (decision.act === 'done') expect(without).toEqual([]);
        if (decision.act !== 'rollout' && decision.act !== 'evict') return;
        expect([of.paused, of.observed, of.mark === MARK, without.some((each) => each.budgets.length > 1), budgets.some(({ stale }) => stale)]).toEqual([false, true, false, false, false]);
        if (decision.act === 'evict') {
          const chosen = without.find(({ pod }) => pod === decision.pod);
          expect([chosen?.late, decision.pod.metadata?.creationTimestamp?.getTime() === NOW - 90_000_000]).toEqual([false, true]);
          return;
        }
        expect([given.owner.kind === 'ReplicaSet', of.strategy.type === 'OnDelete', (of.strategy.partition ?? 0) > 0 && of.strategy.type === 'RollingUpdate']).toEqual([false, false, false]);
        if (of.strategy.type === 'Recreate') expect(budgets).toEqual([]);
        else for (const each of budgets) expect(each.disruptionsAllowed).toBeGreaterThanOrEqual(oracleTakes(given.owner.kind, of.strategy, of.wanted));
      }),
      { numRuns: 20_000, seed: 7 },
    );
    expect([...acts].sort()).toEqual(['done', 'evict', 'rollout', 'wait']);
  });

  it('limits are resolved as Kubernetes does', () =>
    fc.assert(fc.property(kinds, fc.record({ type: fc.constant('RollingUpdate'), maxUnavailable: limit, maxSurge: limit }), fc.nat(200), (kind, strategy, wanted) => void expect(takesAtOnce(kind, strategy, wanted)).toBe(oracleTakes(kind, strategy, wanted)))));

  it('steps go down to nothing, and are few', () =>
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (left, others) => {
        const step = restartStep({ without: Array.from({ length: left }, (_, i) => lacking(`p${i}`)), pods: { ready: left + others, unready: 0 }, now: NOW });
        expect(step).toBeLessThanOrEqual(20);
        expect(step === 0).toBe(left === 0);
      }),
    ));
});

/** An owner with one budget, its controller and the Eviction API; each pod is ready or not, and Cilium's or not. */
function live(kind: string, strategy: UpdateStrategy, { replicas, needs }: { replicas: number; needs: number }): { result: 'done' | 'stuck'; fewest: number; rollouts: number } {
  interface Live {
    name: string;
    cilium: boolean;
    ready: boolean;
  }
  let made = 0;
  const start = (): Live => ({ name: `cart-${String(made++).padStart(3, '0')}`, cilium: true, ready: false });
  let pods: Live[] = Array.from({ length: replicas }, () => ({ ...start(), cilium: false, ready: true }));
  let mark: string | undefined;
  let fewest = replicas;
  let rollouts = 0;
  for (let pass = 0; pass < replicas * 20 + 20; pass++) {
    const healthy = pods.filter(({ ready }) => ready).length;
    fewest = Math.min(fewest, healthy);
    const updated = mark === undefined ? pods.length : pods.filter(({ cilium }) => cilium).length;
    const decision = restartDecision(
      seen({
        owner: owner(kind),
        workload: workload({ strategy, wanted: replicas, updated, total: pods.length, ready: healthy, available: healthy, mark }),
        pods: { ready: healthy, unready: pods.length - healthy },
        without: pods.filter(({ cilium }) => !cilium).map(({ name }) => lacking(name, { budgets: ['cart'] })),
        budgets: [budget({ currentHealthy: healthy, desiredHealthy: needs, expectedPods: replicas, disruptionsAllowed: Math.max(0, healthy - needs) })],
      }),
    );
    if (decision.act === 'done') return { result: 'done', fewest, rollouts };
    if (decision.act === 'rollout') {
      mark = MARK;
      rollouts++;
    } else if (decision.act === 'evict') {
      // As the Eviction API: what a budget does not allow stays.
      if (healthy - needs < 1) return { result: 'stuck', fewest, rollouts };
      pods = pods.filter(({ name }) => name !== decision.pod.metadata?.name);
    } else if (mark === undefined && healthy === replicas) return { result: 'stuck', fewest, rollouts };
    else {
      // Its controller is as bold as it may be.
      const unready = pods.find(({ ready }) => !ready);
      const takes = takesAtOnce(kind, strategy, replicas);
      if (unready !== undefined) unready.ready = true;
      else if (pods.length < replicas) pods.push(start());
      else if (mark !== undefined && takes === 0 && pods.length === replicas) pods.push(start());
      else if (mark !== undefined) {
        const old = pods.filter(({ cilium }) => !cilium).slice(0, Math.max(1, takes));
        pods = pods.filter((pod) => !old.includes(pod));
      }
    }
  }
  return { result: 'stuck', fewest, rollouts };
}

describe('lived through', () => {
  it('never fewer are healthy than the budget needs, and it ends wherever the budget lets it', () => {
    const seenBoth = new Set<string>();
    fc.assert(
      fc.property(kinds, fc.record({ type: fc.constantFrom('RollingUpdate', 'OnDelete'), maxUnavailable: limit, maxSurge: limit }), fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(12)), (kind, strategy, [replicas, needs]) => {
        fc.pre(needs <= replicas);
        const lived = live(kind, strategy, { replicas, needs });
        const takes = takesAtOnce(kind, strategy, replicas);
        seenBoth.add(`${lived.result} ${lived.rollouts}`);
        expect(lived.fewest).toBeGreaterThanOrEqual(needs);
        expect(lived.rollouts).toBeLessThanOrEqual(1);
        const possible = needs < replicas || (strategy.type === 'RollingUpdate' && takes === 0);
        expect(lived.result).toBe(possible ? 'done' : 'stuck');
      }),
      { numRuns: 500, seed: 7 },
    );
    expect([...seenBoth].sort()).toEqual(['done 0', 'done 1', 'stuck 0']);
  });
});

describe('who restarts a pod', () => {
  const by = (kind: string, name: string, apiVersion?: string) => ({ namespace: 'shop', name: 'p', ownerReferences: [{ kind, name, controller: true, apiVersion }] });
  const parents = new Map([['shop/cart-7d', { kind: 'Deployment', name: 'cart', apiVersion: 'apps/v1' }], ['shop/roll-1', { kind: 'Rollout', name: 'roll', apiVersion: 'argoproj.io/v1' }], ['other/alone', { kind: 'Deployment', name: 'x' }]]);
  it.each([
    [by('ReplicaSet', 'cart-7d', 'apps/v1'), 'Deployment shop/cart'],
    [by('ReplicaSet', 'roll-1', 'apps/v1'), 'Rollout shop/roll'],
    [by('ReplicaSet', 'alone', 'apps/v1'), 'ReplicaSet shop/alone'],
    [by('StatefulSet', 'db', 'apps/v1'), 'StatefulSet shop/db'],
    [by('StatefulSet', 'db', 'apps.kruise.io/v1beta1'), 'StatefulSet.apps.kruise.io shop/db'],
    [by('Job', 'once', 'batch/v1'), 'Job shop/once'],
    [by('Pod', 'driver', 'v1'), 'Pod shop/p'],
    [{ namespace: 'shop', name: 'p' }, 'Pod shop/p'],
  ])('%#', (meta, expected) => expect(restartName(rootOf(meta, parents))).toBe(expected));

  it('kube-system comes last, CoreDNS last of all', () => {
    const of = (text: string) => {
      const [kind = '', namespace = '', name = ''] = text.split(/[ /]/);
      return { kind, namespace, name };
    };
    const names = ['Deployment a/x', 'Deployment zoo/a', 'Job zoo/a', 'Deployment kube-system/metrics', 'StatefulSet kube-system/a', 'Deployment kube-system/coredns'];
    fc.assert(fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (shuffled) => void expect(restartOrder(shuffled.map(of)).map(restartName)).toEqual(names)));
  });
});
