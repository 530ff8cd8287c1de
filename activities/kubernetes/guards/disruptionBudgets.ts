import { canonicalJson } from '../../../domain/canonical.js';
import { CiliateError } from '../../../domain/failures.js';
import { NO_DISRUPTION } from '../../../domain/kubernetes/karpenter.js';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardEntry, GuardNow } from '../../../domain/ledger.js';
import type { SetGuard } from '../guard.js';
import { listNodePools, readNodePool } from '../karpenter.js';
import type { NodePool } from '../karpenter.js';
import { setBy } from '../managedFields.js';
import { patchNodePool } from '../patch.js';
import type { PatchOp } from '../patch.js';

const OURS = canonicalJson(NO_DISRUPTION);
const PATH = '/spec/disruption/budgets';

/**
 * Karpenter neither consolidates nor replaces drifted nodes while we change nodes. Budgets are a behavioural field: changing them
 * drifts no node, which any other change of a NodePool could
 * (https://karpenter.sh/docs/concepts/disruption/#behavioral-fields). Expiry and interruption ask no budget.
 */
export const disruptionBudgetsGuard: SetGuard = {
  kind: 'disruption-budgets',
  async wanted(clients, set) {
    if (set !== 'changing') return [];
    return (await listNodePools(clients.kube)).map((pool) => {
      const now = nowOf(pool);
      const { name, uid } = pool.metadata;
      const entry: GuardEntry = { kind: 'disruption-budgets', set, object: `NodePool ${name}: disruption budgets`, id: uid, name, prior: now.value, ours: OURS, at: new Date().toISOString() };
      return { now, entry };
    });
  },
  async read(clients, entries) {
    if (entries.length === 0) return new Map();
    const byUid = new Map((await listNodePools(clients.kube)).map((pool) => [pool.metadata.uid, pool]));
    return new Map(
      entries.flatMap((entry) => {
        const pool = byUid.get(entry.id);
        return pool === undefined ? [] : [[entryKey(entry), nowOf(pool)] as const];
      }),
    );
  },
  async write(clients, entry, to) {
    const pool = await readNodePool(clients.kube, entry.name);
    if (pool?.metadata.uid !== entry.id) return;
    const { value } = nowOf(pool);
    if (value === to) return;
    if (value !== (to === entry.ours ? entry.prior : entry.ours)) throw changed(entry, value);
    await patchNodePool(clients, entry.name, patchOf(pool, to));
  },
};

function nowOf(pool: NodePool): GuardNow {
  const budgets = pool.spec.disruption?.budgets;
  return { value: budgets === undefined ? null : canonicalJson(budgets), setBy: setBy(pool.metadata.managedFields, ['spec', 'disruption', 'budgets']) };
}

function patchOf({ metadata, spec }: NodePool, to: string | null): PatchOp[] {
  const same: PatchOp[] = [{ op: 'test', path: '/metadata/uid', value: metadata.uid }];
  if (spec.disruption?.budgets !== undefined) same.push({ op: 'test', path: PATH, value: spec.disruption.budgets });
  return [...same, to === null ? { op: 'remove', path: PATH } : { op: 'add', path: PATH, value: JSON.parse(to) as unknown }];
}

function changed(entry: GuardEntry, seen: string | null): CiliateError {
  return new CiliateError('Transient', { object: entry.object, expected: 'them as they were read', seen: seen ?? 'absent', todo: 'They are read and decided again.' }, { code: 'Conflict' });
}
