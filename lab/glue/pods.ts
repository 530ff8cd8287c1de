import { addressAnnotation, cniAnnotation, delayAnnotation, instanceAnnotation } from '../cluster/stages.js';
import { isReady, podPath, uidOf } from './types.js';
import type { Glue } from './glue.js';
import type { Cni, Instance, Node, Pod, PodCni } from './types.js';

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
    for (const pod of pods) if (isForeign(pod, instance)) this.restart(pod, instance);
    const agents: Agents = { aws: [], cilium: [] };
    for (const pod of pods) {
      const cni = agentOf(pod);
      if (cni !== undefined && pod.metadata.deletionTimestamp === undefined) agents[cni].push(pod);
    }
    this.glue.cni.step({ node, instance, agents, pods });
    this.glue.watchdog.step({ node, instance, agents, pods });
    const network = this.networkOf(agents);
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp !== undefined || pod.metadata.annotations?.[addressAnnotation] !== undefined) continue;
      if (pod.status?.phase !== undefined && pod.status.phase !== 'Pending') continue;
      if (agentOf(pod) !== undefined) continue;
      if (pod.spec.hostNetwork === true) this.start(pod, { instance, address: instance.address, cni: 'host' });
      else if (network !== undefined) this.plug(pod, instance, network);
    }
  }

  /** The CNI configuration that sorts first is Cilium's; chained, it calls the VPC CNI's, so it takes both. */
  private networkOf({ aws, cilium }: Agents): PodCni | undefined {
    const [onAws, onCilium] = [aws.some(isReady), cilium.some(isReady)];
    if (this.glue.chained && onCilium) return onAws ? 'chained' : undefined;
    return onCilium ? 'cilium' : onAws ? 'aws' : undefined;
  }

  /** A kubelet that finds pods bound to its name which never ran here starts them anew, with its own CNI. */
  private restart(pod: Pod, instance: Instance): void {
    this.glue.work.once(`restart/${uidOf(pod)}/${instance.id}`, async () => {
      this.glue.addresses.release(uidOf(pod));
      const notReady = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', lastTransitionTime: new Date().toISOString().replace(/\.\d+Z/, 'Z') }));
      await this.glue.client.mergePatch(podPath(pod), { metadata: { annotations: { [addressAnnotation]: null, [cniAnnotation]: null, [delayAnnotation]: null, [instanceAnnotation]: null } } });
      await this.glue.client.strategicPatch(`${podPath(pod)}/status`, { status: { phase: 'Pending', conditions: notReady } });
    });
  }

  private plug(pod: Pod, instance: Instance, cni: PodCni): void {
    const address = this.glue.addresses.allocate(instance, uidOf(pod), this.glue.pool(instance));
    // No address left: the pod waits, as it would.
    if (address !== undefined) this.start(pod, { instance, address, cni });
  }

  /** Lets kwok run the pod. */
  start(pod: Pod, network: { instance: Instance; address: string; cni: PodCni | 'host'; delay?: string }): void {
    const annotations = {
      [addressAnnotation]: network.address,
      [cniAnnotation]: network.cni,
      [instanceAnnotation]: network.instance.id,
      ...(network.delay === undefined ? {} : { [delayAnnotation]: network.delay }),
    };
    this.glue.work.once(`start/${uidOf(pod)}/${network.instance.id}`, () => this.glue.client.mergePatch(podPath(pod), { metadata: { annotations } }));
  }
}

/** Started by the kubelet of another instance: of the one that had this Node's name before. */
function isForeign(pod: Pod, instance: Instance): boolean {
  const by = pod.metadata.annotations?.[instanceAnnotation];
  return by !== undefined && by !== instance.id && pod.metadata.deletionTimestamp === undefined;
}
