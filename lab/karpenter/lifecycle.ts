import { condition, uidOf } from '../glue/types.js';
import type { Condition, Node } from '../glue/types.js';
import { labCall } from '../glue/world.js';
import type { Karpenter } from './karpenter.js';
import { claimPath, finalizer, has, instanceIdOf, isGoing, nodeOf, poolLabel, unregistered, userData } from './objects.js';
import type { NodeClaim } from './objects.js';

/** A NodeClaim's way up: launched, registered, initialized. */
export class Lifecycle {
  constructor(private readonly karpenter: Karpenter) {}

  step(): void {
    for (const claim of this.karpenter.claims.values()) if (!isGoing(claim)) this.raise(claim);
  }

  private raise(claim: NodeClaim): void {
    const { glue } = this.karpenter;
    const id = instanceIdOf(claim);
    if (id === undefined) {
      glue.work.run(`karpenter-launch/${uidOf(claim)}`, () => this.launch(claim));
      return;
    }
    const state = glue.world.instance(id)?.state;
    const node = nodeOf(claim, glue.world.nodes);
    if (state === 'shutting-down' || state === 'terminated' || (node !== undefined && isGoing(node))) {
      // Ended behind its back, or deleted as a Node: the NodeClaim follows.
      glue.work.run(`karpenter-follow/${uidOf(claim)}`, () => glue.client.remove(claimPath(claim)));
    } else if (node !== undefined && !has(claim, 'Registered')) {
      glue.work.run(`karpenter-register/${uidOf(claim)}`, () => this.register(claim, node));
    } else if (node !== undefined && !has(claim, 'Initialized') && this.isUp(claim, node)) {
      glue.work.run(`karpenter-initialize/${uidOf(claim)}`, () => this.initialize(claim, node));
    }
  }

  private async launch(claim: NodeClaim): Promise<void> {
    const { glue } = this.karpenter;
    const pool = this.karpenter.poolOf(claim);
    if (pool === undefined) return;
    const tags = { 'karpenter.sh/nodeclaim': claim.metadata.name, [poolLabel]: pool.metadata.name, 'eks:eks-cluster-name': glue.clusterName };
    const { id } = (await labCall(glue.awsPort, 'run-instance', { token: uidOf(claim), zone: claim.spec.zone, type: 'm5.large', tags, userData: userData(pool, glue.clusterName) })) as { id: string };
    await this.report(claim, ['Launched'], { providerID: `aws:///${claim.spec.zone}/${id}` });
  }

  private async register(claim: NodeClaim, node: Node): Promise<void> {
    const taints = (node.spec.taints ?? []).filter((taint) => taint.key !== unregistered);
    const owner = { apiVersion: 'karpenter.sh/v1', kind: 'NodeClaim', name: claim.metadata.name, uid: uidOf(claim), blockOwnerDeletion: true };
    await this.karpenter.glue.client.jsonPatch(`/api/v1/nodes/${node.metadata.name}`, [
      { op: 'test', path: '/metadata/resourceVersion', value: node.metadata.resourceVersion },
      { op: 'add', path: '/metadata/finalizers', value: [...new Set([...(node.metadata.finalizers ?? []), finalizer])] },
      { op: 'add', path: '/metadata/ownerReferences', value: [owner] },
      { op: 'add', path: '/metadata/labels/karpenter.sh~1registered', value: 'true' },
      { op: 'add', path: '/spec/taints', value: taints },
    ]);
    await this.report(claim, ['Launched', 'Registered'], { nodeName: node.metadata.name });
  }

  private isUp(claim: NodeClaim, node: Node): boolean {
    const startup = this.karpenter.poolOf(claim)?.spec.template.spec.startupTaints ?? [];
    return condition(node, 'Ready')?.status === 'True' && !(node.spec.taints ?? []).some((taint) => startup.some(({ key }) => key === taint.key));
  }

  private async initialize(claim: NodeClaim, node: Node): Promise<void> {
    await this.karpenter.glue.client.mergePatch(`/api/v1/nodes/${node.metadata.name}`, { metadata: { labels: { 'karpenter.sh/initialized': 'true' } } });
    await this.report(claim, ['Launched', 'Registered', 'Initialized', 'Ready'], {});
  }

  private async report(claim: NodeClaim, types: string[], status: object): Promise<void> {
    const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z/, 'Z');
    const conditions: Condition[] = types.map((type) => ({ type, status: 'True', reason: type, message: '', lastTransitionTime }));
    await this.karpenter.glue.client.mergePatch(`${claimPath(claim)}/status`, { status: { ...status, conditions } });
  }
}
