import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { disruptionBudgetsGuard as guard } from '../../../activities/kubernetes/guards/disruptionBudgets.js';
import { givingBack, taking } from '../../../domain/ledger.js';

const THEIRS = [{ nodes: '10%', reasons: ['Drifted'] }, { schedule: '0 9 * * 1', nodes: '0', duration: '8h' }];

/** One NodePool, and what was patched. */
function poolOf(budgets: unknown[] | undefined, over: { nodeClassGroup?: string } = {}) {
  const pool = {
    metadata: { name: 'default', uid: 'u', creationTimestamp: 't' },
    spec: { disruption: { consolidateAfter: '0s', ...(budgets === undefined ? {} : { budgets }) }, template: { spec: { nodeClassRef: { group: over.nodeClassGroup ?? 'karpenter.k8s.aws' } } } },
  };
  const patches: unknown[][] = [];
  const custom = {
    listClusterCustomObject: () => Promise.resolve({ items: [pool] }),
    getClusterCustomObject: () => Promise.resolve(pool),
    patchClusterCustomObject: ({ body }: { body: unknown[] }) => Promise.resolve(void patches.push(body)),
  };
  return { pool, patches, clients: { kube: { custom } } as unknown as Clients };
}

describe('disruption budgets of a NodePool', () => {
  it('are wanted at 0 while nodes are changed, and at no other time', async () => {
    const { clients } = poolOf(THEIRS);
    expect(await guard.wanted(clients, 'whole')).toEqual([]);
    const [wanted] = await guard.wanted(clients, 'changing');
    expect(wanted?.entry).toMatchObject({ object: 'NodePool default: disruption budgets', id: 'u', name: 'default', ours: '[{"nodes":"0"}]' });
    expect(JSON.parse(wanted?.entry.prior ?? '')).toEqual(THEIRS);
  });
  it('of Auto Mode are EKS’s own', async () => {
    expect(await guard.wanted(poolOf(THEIRS, { nodeClassGroup: 'eks.amazonaws.com' }).clients, 'changing')).toEqual([]);
  });
  it('that somebody holds at 0 already are theirs', async () => {
    const [wanted] = await guard.wanted(poolOf([{ nodes: '0' }]).clients, 'changing');
    expect(wanted && taking(wanted.now, undefined, wanted.entry).act).toBe('theirs');
  });
  it('are set and given back exactly, each time only from the value that was read', async () => {
    const { pool, patches, clients } = poolOf(THEIRS);
    const [wanted] = await guard.wanted(clients, 'changing');
    if (wanted === undefined) throw new Error('none');
    await guard.write(clients, wanted.entry, wanted.entry.ours);
    expect(patches.at(-1)).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u' },
      { op: 'test', path: '/spec/disruption/budgets', value: THEIRS },
      { op: 'add', path: '/spec/disruption/budgets', value: [{ nodes: '0' }] },
    ]);
    pool.spec.disruption.budgets = [{ nodes: '0' }];
    await guard.write(clients, wanted.entry, wanted.entry.prior);
    expect(patches.at(-1)?.at(-1)).toEqual({ op: 'add', path: '/spec/disruption/budgets', value: THEIRS });
  });
  it('that somebody changed meanwhile are left', async () => {
    const { pool, clients } = poolOf(THEIRS);
    const [wanted] = await guard.wanted(clients, 'changing');
    if (wanted === undefined) throw new Error('none');
    pool.spec.disruption.budgets = [{ nodes: '3' }];
    const now = (await guard.read(clients, [wanted.entry])).values().next().value;
    expect(givingBack(wanted.entry, now).act).toBe('left');
    await expect(guard.write(clients, wanted.entry, wanted.entry.prior)).rejects.toMatchObject({ code: 'Conflict' });
  });
});
