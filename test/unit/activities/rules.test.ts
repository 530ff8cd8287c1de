import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaTakes } from '../../../activities/aws/addon.js';
import { missedActions } from '../../../activities/aws/scheduledActions.js';
import { environmentChanges } from '../../../activities/kubernetes/awsNode.js';
import { parseHolder } from '../../../activities/kubernetes/lease.js';
import { addressesOf } from '../../../domain/kubernetes/ciliumNode.js';
import { budgetBlocker, drainVerdict, evictionOrder, overstayBlocker, overstays } from '../../../domain/kubernetes/drain.js';
import { nextOf } from '../../../domain/kubernetes/nodeOrder.js';
import type { Candidate } from '../../../domain/kubernetes/nodeOrder.js';
import { instanceIdOf } from '../../../domain/kubernetes/resources.js';
import type { PodLike } from '../../../domain/kubernetes/resources.js';

const drain = { emptyDir: 'evict', barePods: 'block' } as const;
const pod = (over: PodLike = {}): PodLike => ({
  ...over,
  metadata: { namespace: 'shop', name: 'cart-1', uid: 'u', ownerReferences: [{ kind: 'ReplicaSet', name: 'cart', controller: true }], ...over.metadata },
});

describe('drain', () => {
  it.each([
    ['a DaemonSet pod', pod({ metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'd', controller: true }] } })],
    ['a mirror pod', pod({ metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } })],
    ['a finished pod', pod({ status: { phase: 'Succeeded' } })],
  ])('leaves %s', (_name, given) => expect(drainVerdict(given, drain).act).toBe('leave'));

  it('blocks on a bare pod until that is allowed, and says how', () => {
    const bare = pod({ metadata: { ownerReferences: [] } });
    expect(drainVerdict(bare, drain)).toMatchObject({ act: 'block', todo: expect.stringContaining('kubectl -n shop delete pod cart-1') as string });
    expect(drainVerdict(bare, { ...drain, barePods: 'evict' }).act).toBe('evict');
  });

  it('evicts emptyDir pods unless told to block', () => {
    const scratch = pod({ spec: { volumes: [{ name: 'v', emptyDir: {} }] } });
    expect(drainVerdict(scratch, drain).act).toBe('evict');
    expect(drainVerdict(scratch, { ...drain, emptyDir: 'block' }).act).toBe('block');
  });

  it("puts ordinary pods first, critical ones next, cilium-operator last", () => {
    const pods = [
      pod({ metadata: { name: 'op', labels: { 'io.cilium/app': 'operator' } }, spec: { priorityClassName: 'system-cluster-critical' } }),
      pod({ metadata: { name: 'dns' }, spec: { priorityClassName: 'system-cluster-critical' } }),
      pod({ metadata: { name: 'cart' } }),
    ].map((each) => {
      const verdict = drainVerdict(each, drain);
      return { pod: each, tier: verdict.act === 'evict' ? verdict.tier : -1 };
    });
    expect(evictionOrder(pods).map(({ pod: { metadata } }) => metadata?.name)).toEqual(['cart', 'dns', 'op']);
  });

  it('says what a budget needs, and whether it could ever be free', () => {
    const budget = { name: 'cart', currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0 };
    expect(budgetBlocker(pod(), 'Deployment cart', { ...budget, expectedPods: 2 })).toEqual({
      reason: 'PDB shop/cart needs 2 healthy, has 2 (owner Deployment cart)',
      todo: 'It never allows an eviction with 2 pods: scale Deployment cart up, or lower minAvailable of PDB shop/cart',
      firm: true,
    });
    expect(budgetBlocker(pod(), 'Widget cart', { ...budget, expectedPods: 0, desiredHealthy: 0, currentHealthy: 0, failed: 'SyncFailed: widgets.example.com does not implement the scale subresource' })).toEqual({
      reason: 'PDB shop/cart cannot be counted: SyncFailed: widgets.example.com does not implement the scale subresource (owner Widget cart)',
      todo: 'It never allows an eviction: give PDB shop/cart a minAvailable that is a whole number, or let it select only pods whose controllers can be scaled',
      firm: true,
    });
    expect(budgetBlocker(pod(), 'Deployment cart', { ...budget, expectedPods: 3 }).todo).toMatch(/Free once 1 more of its pods is Ready/);
  });
});

describe('a pod that does not end', () => {
  const due = new Date('2026-01-01T00:00:30Z');
  const going = (over: PodLike['metadata'] = {}): PodLike => pod({ metadata: { deletionTimestamp: due, deletionGracePeriodSeconds: 30, ...over } });
  const at = (seconds: number): number => due.getTime() + seconds * 1000;

  it('is awaited for a minute past its grace, then named', () => {
    expect(overstays(pod(), at(3_600))).toBeUndefined();
    expect(overstays(going(), at(-5))).toBeUndefined();
    expect(overstays(going(), at(60))).toBeUndefined();
    expect(overstays(going(), at(61))).toEqual(due);
    expect(overstayBlocker(going(), 'Deployment cart', due)).toEqual({
      object: 'Pod shop/cart-1',
      reason: 'it was told to end at 2026-01-01T00:00:00Z, its grace of 30 s is over, and it is still there (owner Deployment cart)',
      todo: expect.stringMatching(/^Its kubelet has not ended it: kubectl -n shop describe pod cart-1 .*once nothing of it runs: kubectl -n shop delete pod cart-1 --force --grace-period=0$/) as string,
      firm: true,
      since: '2026-01-01T00:00:30.000Z',
    });
  });

  it('names its finalizers, which no force takes away', () => {
    const blocker = overstayBlocker(going({ finalizers: ['a.example/x', 'b.example/y'] }), 'Deployment cart', due);
    expect(blocker.reason).toContain('; finalizers a.example/x, b.example/y hold it');
    expect(blocker.todo).toBe('Whoever set the finalizers has to take them away: kubectl -n shop get pod cart-1 -o yaml');
  });
});

describe('the next node', () => {
  const candidate = (over: Partial<Candidate['ref']> & { hostsOperator?: boolean; created?: number }): Candidate => {
    const { hostsOperator = false, created = 0, ...ref } = over;
    return { ref: { name: 'n', uid: 'u', instanceId: 'i-1', group: 'g', zone: 'a', ...ref }, hostsOperator, created };
  };
  const candidates = fc.uniqueArray(
    fc.record({ name: fc.string({ minLength: 1 }), zone: fc.constantFrom('a', 'b', 'c'), group: fc.constantFrom('g', 'h'), hostsOperator: fc.boolean(), created: fc.nat(9) }).map(candidate),
    { selector: ({ ref }) => ref.name, minLength: 1 },
  );

  it('takes every node once, and the same one whatever the order of the list', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const seen = new Set<string>();
        for (let left = all; left.length > 0; left = left.filter(({ ref }) => !seen.has(ref.name))) {
          const next = nextOf(left);
          expect(next).toEqual(nextOf([...left].reverse()));
          seen.add(next?.name ?? '');
        }
        expect(seen.size).toBe(all.length);
      }),
    );
  });

  it("leaves cilium-operator's nodes to the end", () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const next = nextOf(all);
        const chosen = all.find(({ ref }) => ref.name === next?.name);
        expect(chosen?.hostsOperator).toBe(all.every(({ hostsOperator }) => hostsOperator));
      }),
    );
  });

  it('goes from zone to zone', () => {
    let left = ['a', 'a', 'b', 'b', 'c', 'c'].map((zone, at) => candidate({ name: `n${at}`, zone }));
    const zones: string[] = [];
    for (let next = nextOf(left); next !== null; next = nextOf(left)) {
      zones.push(next.zone);
      left = left.filter(({ ref }) => ref.name !== next?.name);
    }
    expect(zones).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });
});

describe('what is read', () => {
  it('instance ids from providerIDs', () => {
    expect(instanceIdOf({ spec: { providerID: 'aws:///eu-west-1a/i-0abc' } })).toBe('i-0abc');
    expect(instanceIdOf({ spec: { providerID: 'aws:///eu-west-1a/x/fargate-ip-10' } })).toBeUndefined();
  });

  it('addresses of a CiliumNode in both layouts', () => {
    expect(addressesOf({ spec: { ipam: { pool: { '10.0.0.9': {} } } } })).toEqual({ has: true, count: { all: 1, free: 1 } });
    expect(addressesOf({ spec: { ipam: { pools: { allocated: [{ pool: 'default', cidrs: ['10.0.0.0/28'] }] } } } })).toEqual({ has: true });
    expect(addressesOf({ status: { ipam: { 'operator-status': { error: 'UnauthorizedOperation' } } } })).toEqual({ has: false, error: 'UnauthorizedOperation' });
  });

  it('which of them are free: those in use stay in the pool', () => {
    const ipam = { pool: { '10.0.0.8': {}, '10.0.0.9': {} } };
    const inUse = (...used: string[]) => addressesOf({ spec: { ipam }, status: { ipam: { used: Object.fromEntries(used.map((address) => [address, {}])) } } }).count;
    expect(inUse('10.0.0.9')).toEqual({ all: 2, free: 1 });
    expect(inUse('10.0.0.8', '10.0.0.9')).toEqual({ all: 2, free: 0 });
    expect(inUse('10.0.0.7')).toEqual({ all: 2, free: 2 });
    // Pools of prefixes do not tell who uses what.
    expect(addressesOf({ spec: { ipam: { pools: { allocated: [{ cidrs: ['10.0.0.0/28'] }] } } } }).count).toBeUndefined();
  });

  it('whether an add-on schema takes affinity, $ref followed', () => {
    expect(schemaTakes('{"properties":{"affinity":{}}}', 'affinity')).toBe(true);
    expect(schemaTakes('{"$ref":"#/definitions/VpcCni","definitions":{"VpcCni":{"properties":{"env":{}}}}}', 'affinity')).toBe(false);
    expect(schemaTakes('{"$ref":"#/definitions/VpcCni","definitions":{"VpcCni":{"properties":{"affinity":{}}}}}', 'affinity')).toBe(true);
    expect(schemaTakes('no json', 'affinity')).toBeNull();
  });

  it('holders with slashes in the workflow id', () => {
    expect(parseHolder('t/default/cilium-migration/a')).toEqual({ temporal: 't', namespace: 'default', workflowId: 'cilium-migration/a' });
    expect(parseHolder('somebody')).toBeUndefined();
  });

  it('changes of an environment', () => {
    expect(environmentChanges(new Map([['a/X', '1'], ['a/Y', '2']]), new Map([['a/X', '1'], ['a/Y', '3'], ['a/Z', '4']]))).toEqual(['a/Y: 2 → 3', 'a/Z: absent → 4']);
  });
});

describe('scheduled actions that were missed', () => {
  const span = { from: new Date('2026-11-22T10:00:00Z'), to: new Date('2026-11-22T12:30:00Z') };
  const action = { AutoScalingGroupName: 'workers', ScheduledActionName: 'up', DesiredCapacity: 5 };

  it('a recurrence inside the span, in its own time zone', () => {
    expect(missedActions([{ ...action, Recurrence: '0 12 * * *' }], span)).toEqual([expect.stringContaining('due at 2026-11-22T12:00:00.000Z')]);
    expect(missedActions([{ ...action, Recurrence: '0 12 * * *', TimeZone: 'Europe/Berlin' }], span)).toEqual([expect.stringContaining('due at 2026-11-22T11:00:00.000Z')]);
    expect(missedActions([{ ...action, Recurrence: '0 20 * * *' }], span)).toEqual([]);
  });

  it('a single one inside the span, not one after it', () => {
    expect(missedActions([{ ...action, StartTime: new Date('2026-11-22T11:00:00Z') }], span)).toHaveLength(1);
    expect(missedActions([{ ...action, StartTime: new Date('2026-11-22T13:00:00Z') }], span)).toEqual([]);
  });

  it('a recurrence that has ended is not missed', () => {
    expect(missedActions([{ ...action, Recurrence: '0 12 * * *', EndTime: new Date('2026-11-22T11:00:00Z') }], span)).toEqual([]);
  });
});
