import { createAll } from '../cluster/apply.js';
import { isStatus } from '../cluster/client.js';
import type { KubeObject } from '../cluster/client.js';
import type { Glue } from '../glue/glue.js';
import { karpenterDefinitions } from './crds.js';
import { Disruption } from './disruption.js';
import { Lifecycle } from './lifecycle.js';
import { api, defaultPool, isGoing, newClaim, poolLabel } from './objects.js';
import type { NodeClaim, NodePool } from './objects.js';
import { Provisioner } from './provisioner.js';
import { Termination } from './termination.js';

/**
 * Karpenter, as its documentation describes it (https://karpenter.sh/docs/concepts/): pending pods become NodeClaims, NodeClaims
 * become instances and Nodes, and both leave by its finalizer. Of its own disruptions it has drift only.
 */
export class Karpenter {
  readonly pools = new Map<string, NodePool>();
  readonly claims = new Map<string, NodeClaim>();
  private readonly listed = new Set<string>();
  private readonly parts: { step(): void }[];

  constructor(
    readonly glue: Glue,
    readonly zones: string[],
  ) {
    this.parts = [new Provisioner(this), new Lifecycle(this), new Termination(this), new Disruption(this)];
  }

  /** CRDs, a NodePool, and that many nodes of it, as if pods had asked for them. */
  async install(nodes: number): Promise<void> {
    const { client } = this.glue;
    await createAll(client, karpenterDefinitions(), 'helm');
    await this.untilServed();
    const pool = await client.create<NodePool>(`${api}/nodepools?fieldManager=kubectl`, defaultPool());
    for (let index = 0; index < nodes; index += 1) await client.create(`${api}/nodeclaims`, newClaim(pool, this.zones[index % this.zones.length] ?? ''));
    this.follow('nodepools', this.pools);
    this.follow('nodeclaims', this.claims);
  }

  step(): void {
    if (this.listed.size < 2) return;
    for (const part of this.parts) part.step();
  }

  claimsOf(pool: NodePool): NodeClaim[] {
    return [...this.claims.values()].filter((claim) => claim.metadata.labels?.[poolLabel] === pool.metadata.name);
  }

  poolOf(claim: NodeClaim): NodePool | undefined {
    return this.pools.get(claim.metadata.labels?.[poolLabel] ?? '');
  }

  /** Asks for one more node of a pool, in the zone with fewest; its name. */
  async claim(pool: NodePool): Promise<string> {
    const staying = this.claimsOf(pool).filter((claim) => !isGoing(claim));
    const count = (zone: string): number => staying.filter((claim) => claim.spec.zone === zone).length;
    const [zone = ''] = [...this.zones].sort((a, b) => count(a) - count(b));
    const made = await this.glue.client.create<NodeClaim>(`${api}/nodeclaims`, newClaim(pool, zone));
    // At once, or the next pass would ask for another.
    this.claims.set(made.metadata.name, made);
    this.glue.log(`NodeClaim ${made.metadata.name} in ${zone}`);
    return made.metadata.name;
  }

  private async untilServed(): Promise<void> {
    for (;;) {
      try {
        await Promise.all(['nodepools', 'nodeclaims'].map((plural) => this.glue.client.get(`${api}/${plural}`)));
        return;
      } catch (error) {
        // 429: the storage of a new kind is being made ready.
        if (!isStatus(error, 404) && !isStatus(error, 429)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  private follow<T extends KubeObject>(plural: string, into: Map<string, T>): void {
    void this.glue.client.watch<T>(`${api}/${plural}`, {
      onList: (items) => {
        into.clear();
        for (const item of items) into.set(item.metadata.name, item);
        this.listed.add(plural);
        this.glue.wake(0);
      },
      onEvent: (type, item) => {
        if (type === 'DELETED') into.delete(item.metadata.name);
        else into.set(item.metadata.name, item);
        this.glue.wake(0);
      },
    });
  }
}
