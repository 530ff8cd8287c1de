import type { Karpenter } from './karpenter.js';
import { claimPath, has, hashAnnotation, isGoing, templateHash } from './objects.js';
import type { NodeClaim, NodePool } from './objects.js';

/** Drift: a NodeClaim whose NodePool's template has changed is replaced, a new node first, within the budgets. */
export class Disruption {
  /** By NodePool: who goes, and who comes for it. */
  private readonly moves = new Map<string, { old: string; fresh: string }>();

  constructor(private readonly karpenter: Karpenter) {}

  step(): void {
    for (const pool of this.karpenter.pools.values()) this.disrupt(pool);
  }

  private disrupt(pool: NodePool): void {
    const { claims, glue } = this.karpenter;
    const { name } = pool.metadata;
    const move = this.moves.get(name);
    if (move !== undefined) {
      const [old, fresh] = [claims.get(move.old), claims.get(move.fresh)];
      if (old === undefined || fresh === undefined) this.moves.delete(name);
      else if (has(fresh, 'Initialized') && !isGoing(old)) glue.work.run(`karpenter-disrupt/${move.old}`, () => glue.client.remove(claimPath(old)));
      return;
    }
    const all = this.karpenter.claimsOf(pool);
    const drifted = all.find((claim) => isDrifted(claim, pool));
    if (drifted === undefined || all.filter(isGoing).length >= allowed(pool, all.length)) return;
    glue.work.run(`karpenter-replace/${name}`, async () => {
      this.moves.set(name, { old: drifted.metadata.name, fresh: await this.karpenter.claim(pool) });
      glue.log(`NodeClaim ${drifted.metadata.name} has drifted`);
    });
  }
}

function isDrifted(claim: NodeClaim, pool: NodePool): boolean {
  return !isGoing(claim) && has(claim, 'Initialized') && claim.metadata.annotations?.[hashAnnotation] !== templateHash(pool);
}

/** The strictest budget; percentages are rounded up. One with a schedule never counts in this lab. */
function allowed(pool: NodePool, total: number): number {
  const budgets = (pool.spec.disruption?.budgets ?? []).filter(({ schedule, reasons }) => schedule === undefined && (reasons?.includes('Drifted') ?? true));
  return Math.min(total, ...budgets.map(({ nodes }) => (nodes.endsWith('%') ? Math.ceil((total * parseInt(nodes, 10)) / 100) : Number(nodes))));
}
