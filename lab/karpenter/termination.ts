import { ownedBy, podPath, uidOf } from '../glue/types.js';
import type { Node, Pod } from '../glue/types.js';
import { labCall } from '../glue/world.js';
import type { Karpenter } from './karpenter.js';
import { claimPath, disrupted, finalizer, instanceIdOf, isGoing, nodeOf } from './objects.js';
import type { NodeClaim } from './objects.js';

/** The finalizer: taint, drain, end the instance, and only then let Node and NodeClaim go. */
export class Termination {
  constructor(private readonly karpenter: Karpenter) {}

  step(): void {
    for (const claim of this.karpenter.claims.values()) if (isGoing(claim)) this.lower(claim);
  }

  private lower(claim: NodeClaim): void {
    const { glue } = this.karpenter;
    const node = nodeOf(claim, glue.world.nodes);
    if (node === undefined) {
      if (this.ended(claim)) this.letGo(claim, claimPath(claim));
      return;
    }
    if (!isGoing(node)) {
      glue.work.run(`karpenter-delete/${uidOf(node)}`, () => glue.client.remove(`/api/v1/nodes/${node.metadata.name}`, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: uidOf(node) } }));
      return;
    }
    if (this.drained(node) && this.ended(claim)) this.letGo(node, `/api/v1/nodes/${node.metadata.name}`);
  }

  private drained(node: Node): boolean {
    const { glue } = this.karpenter;
    const taints = node.spec.taints ?? [];
    if (glue.nodes.isLive(node) && !taints.some((taint) => taint.key === disrupted)) {
      glue.work.run(`karpenter-taint/${uidOf(node)}`, () =>
        glue.client.jsonPatch(`/api/v1/nodes/${node.metadata.name}`, [
          { op: 'test', path: '/metadata/resourceVersion', value: node.metadata.resourceVersion },
          { op: 'add', path: '/spec/taints', value: [...taints, { key: disrupted, effect: 'NoSchedule' }] },
        ]),
      );
      return false;
    }
    if (!glue.nodes.isLive(node)) return true;
    const left = [...glue.world.pods.values()].filter((pod) => pod.spec.nodeName === node.metadata.name && isDrainable(pod));
    for (const pod of left) if (!isGoing(pod)) this.evict(pod);
    return left.length === 0;
  }

  private evict(pod: Pod): void {
    const { name, namespace } = pod.metadata;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid: uidOf(pod) } } };
    this.karpenter.glue.work.run(`karpenter-evict/${uidOf(pod)}`, () => this.karpenter.glue.client.create(`${podPath(pod)}/eviction`, body));
  }

  /** No instance any more; asks for its end where there is one. */
  private ended(claim: NodeClaim): boolean {
    const { glue } = this.karpenter;
    const id = instanceIdOf(claim);
    const state = id === undefined ? undefined : glue.world.instance(id)?.state;
    if (state === undefined || state === 'terminated') return true;
    if (state !== 'shutting-down') glue.work.run(`karpenter-terminate/${uidOf(claim)}`, () => labCall(glue.awsPort, 'terminate-instance', { id }));
    return false;
  }

  private letGo(object: Node | NodeClaim, path: string): void {
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    this.karpenter.glue.work.run(`karpenter-let-go/${uidOf(object)}`, () =>
      this.karpenter.glue.client.jsonPatch(path, [
        { op: 'test', path: '/metadata/uid', value: uidOf(object) },
        { op: 'test', path: '/metadata/finalizers', value: finalizers },
        { op: 'replace', path: '/metadata/finalizers', value: finalizers.filter((each) => each !== finalizer) },
      ]),
    );
  }
}

/** DaemonSets' pods tolerate the taint in this lab; finished pods need no drain. */
function isDrainable(pod: Pod): boolean {
  return !ownedBy(pod, 'DaemonSet') && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}
