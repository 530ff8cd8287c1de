import { addressAnnotation, cniAnnotation, delayAnnotation } from '../cluster/stages.js';
import { isReady, podPath, uidOf } from './types.js';
import type { Glue } from './glue.js';
import type { Cni, Instance, Node, Pod } from './types.js';

/** The agents of both CNIs on one node. */
export interface Agents {
  aws: Pod[];
  cilium: Pod[];
}

export function agentOf(pod: Pod): Cni | undefined {
  if (pod.metadata.namespace !== 'kube-system') return undefined;
  const app = pod.metadata.labels?.['k8s-app'];
  return app === 'aws-node' ? 'aws' : app === 'cilium' ? 'cilium' : undefined;
}

/** Gives each pod its address when its node's CNI could, and ends the pods of Nodes that are gone. */
export class Pods {
  constructor(private readonly glue: Glue) {}

  step(byNode: Map<string, Pod[]>): void {
    for (const [name, pods] of byNode) {
      const node = this.glue.world.nodes.get(name);
      if (node === undefined) this.collect(pods);
      else if (this.glue.nodes.isLive(node)) this.serve(node, pods);
    }
  }

  /** Pods whose Node object is gone; the garbage collector does this too, but takes a minute over it. */
  private collect(pods: Pod[]): void {
    const { since, work, client } = this.glue;
    for (const pod of pods) {
      const age = since.age(`orphan/${uidOf(pod)}`);
      if (age < 300) this.glue.wake(301 - age);
      else {
        work.run(`collect/${uidOf(pod)}`, () =>
          client.remove(podPath(pod), { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } }),
        );
      }
    }
  }

  private serve(node: Node, pods: Pod[]): void {
    const instance = this.glue.nodes.instanceFor(node);
    if (instance === undefined) return;
    const agents: Agents = { aws: [], cilium: [] };
    for (const pod of pods) {
      const cni = agentOf(pod);
      if (cni !== undefined && pod.metadata.deletionTimestamp === undefined) agents[cni].push(pod);
    }
    this.glue.cni.step({ node, instance, agents, pods });
    this.glue.watchdog.step({ node, instance, agents, pods });
    const network: Cni | undefined = agents.cilium.some(isReady) ? 'cilium' : agents.aws.some(isReady) ? 'aws' : undefined;
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp !== undefined || pod.metadata.annotations?.[addressAnnotation] !== undefined) continue;
      if (pod.status?.phase !== undefined && pod.status.phase !== 'Pending') continue;
      if (agentOf(pod) !== undefined) continue;
      if (pod.spec.hostNetwork === true) this.start(pod, { address: instance.address, cni: 'host' });
      else if (network !== undefined) this.plug(pod, instance, network);
    }
  }

  private plug(pod: Pod, instance: Instance, cni: Cni): void {
    const address = this.glue.addresses.allocate(instance, uidOf(pod), this.glue.pool(instance));
    // No address left: the pod waits, as it would.
    if (address !== undefined) this.start(pod, { address, cni });
  }

  /** Lets kwok run the pod. */
  start(pod: Pod, network: { address: string; cni: Cni | 'host'; delay?: string }): void {
    const annotations = {
      [addressAnnotation]: network.address,
      [cniAnnotation]: network.cni,
      ...(network.delay === undefined ? {} : { [delayAnnotation]: network.delay }),
    };
    this.glue.work.once(`start/${uidOf(pod)}`, () => this.glue.client.mergePatch(podPath(pod), { metadata: { annotations } }));
  }
}
