import { addressAnnotation, cniAnnotation } from '../cluster/stages.js';
import { isStatus } from '../cluster/client.js';
import { cilium } from '../cluster/crds.js';
import { createAll } from '../cluster/apply.js';
import { condition, isReady, uidOf } from './types.js';
import type { Glue } from './glue.js';
import type { Agents } from './pods.js';
import type { Instance, Node, Pod } from './types.js';

/** One node with what runs on it. */
export interface NodeView {
  node: Node;
  instance: Instance;
  agents: Agents;
  pods: Pod[];
}

/** How long a node without any agent stays Ready. */
const agentlessAfter = 10_000;
const notReadyTaint = 'node.cilium.io/agent-not-ready';

/** Plays the two agents' and the Cilium operator's visible effects. */
export class CniPlane {
  private readonly usedReported = new Map<string, string>();
  private crdsThere = false;

  constructor(private readonly glue: Glue) {}

  /** An operator that could act: only it gives addresses, removes taints and registers CRDs. */
  operatorReady(): boolean {
    for (const pod of this.glue.world.pods.values()) {
      if (pod.metadata.labels?.['io.cilium/app'] !== 'operator' || !isReady(pod)) continue;
      const node = this.glue.world.nodes.get(pod.spec.nodeName ?? '');
      if (node !== undefined && this.glue.nodes.isLive(node)) return true;
    }
    return false;
  }

  /** What the operator does for the cluster as a whole. */
  operatorStep(ready: boolean): void {
    if (!ready || this.crdsThere) return;
    this.glue.work.run('crds', async () => {
      await createAll(this.glue.client, cilium.definitions(), 'cilium-operator-aws');
      // As the operator: established is enough. To list each kind once would wait up to 20 s for the API server's caches.
      await Promise.all(cilium.definitions().map(({ metadata }) => this.established(metadata.name)));
      this.crdsThere = true;
      this.glue.log('the Cilium operator registered its CRDs');
    });
  }

  /** @throws where it is not yet: the whole is tried again a moment later */
  private async established(name: string): Promise<void> {
    const { status } = await this.glue.client.get<{ status?: { conditions?: { type: string; status: string }[] } }>(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`);
    if (!status?.conditions?.some((seen) => seen.type === 'Established' && seen.status === 'True')) throw new Error(`${name} is not established yet`);
  }

  step(view: NodeView): void {
    this.startAgents(view);
    this.judgeReadiness(view);
    if (view.agents.cilium.some(isReady)) this.tendCilium(view);
  }

  /** A pod went: so do its endpoint and its address. */
  podGone(pod: Pod): void {
    this.glue.addresses.release(uidOf(pod));
    if (!hasEndpoint(pod) || pod.spec.hostNetwork === true || !this.crdsThere) return;
    this.glue.work.run(`cep-gone/${uidOf(pod)}`, () =>
      this.glue.client.remove(`/apis/cilium.io/v2/namespaces/${pod.metadata.namespace ?? ''}/ciliumendpoints/${pod.metadata.name}`),
    );
  }

  private startAgents(view: NodeView): void {
    const { options, since } = this.glue;
    for (const pod of [...view.agents.aws, ...view.agents.cilium]) {
      if (pod.metadata.annotations?.[addressAnnotation] !== undefined) continue;
      const age = since.age(`agent/${uidOf(pod)}`);
      if (age < options.agentDelay) {
        this.glue.wake(options.agentDelay - age + 1);
        continue;
      }
      // In ENI mode the agent waits for its CiliumNode to have addresses, and those come from the operator.
      if (view.agents.cilium.includes(pod) && !this.joinCilium(view)) continue;
      this.glue.pods.start(pod, { instance: view.instance, address: view.instance.address, cni: 'host', delay: '0s' });
    }
  }

  private joinCilium(view: NodeView): boolean {
    const key = `ciliumnode/${uidOf(view.node)}`;
    if (this.glue.work.did(key)) return true;
    if (!this.crdsThere || !this.glue.operatorReady) return false;
    this.glue.work.once(key, async () => {
      const body = cilium.node(view.node, view.instance, this.glue.pool(view.instance));
      try {
        await this.glue.client.create('/apis/cilium.io/v2/ciliumnodes', body);
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
        // Left over from the Node that had this name before.
        await this.glue.client.remove(`/apis/cilium.io/v2/ciliumnodes/${view.node.metadata.name}`);
        await this.glue.client.create('/apis/cilium.io/v2/ciliumnodes', body);
      }
      await this.glue.client.mergePatch(`/apis/cilium.io/v2/ciliumnodes/${view.node.metadata.name}/status`, { status: body['status'] });
    });
    return false;
  }

  private judgeReadiness(view: NodeView): void {
    const { since, nodes, work, client } = this.glue;
    const { node, agents } = view;
    const key = `agentless/${uidOf(node)}`;
    if (agents.aws.some(isReady) || agents.cilium.some(isReady)) {
      since.clear(key);
      nodes.setCondition(node, { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' });
    } else if (condition(node, 'Ready')?.status === 'True' && agents.aws.length + agents.cilium.length === 0) {
      const age = since.age(key);
      if (age < agentlessAfter) this.glue.wake(agentlessAfter - age + 1);
      else {
        nodes.setCondition(node, {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
        });
      }
    }
    if (!agents.cilium.some(isReady) || !this.glue.operatorReady) return;
    nodes.setCondition(node, { type: 'NetworkUnavailable', status: 'False', reason: 'CiliumIsUp', message: 'Cilium is running on this node' });
    const taints = node.spec.taints ?? [];
    if (taints.some((taint) => taint.key === notReadyTaint)) {
      const kept = taints.filter((taint) => taint.key !== notReadyTaint);
      work.run(`taint/${uidOf(node)}`, () =>
        client.jsonPatch(`/api/v1/nodes/${node.metadata.name}`, [
          { op: 'test', path: '/metadata/resourceVersion', value: node.metadata.resourceVersion },
          { op: 'replace', path: '/spec/taints', value: kept },
        ]),
      );
    }
  }

  private tendCilium(view: NodeView): void {
    const plugged = view.pods.filter((pod) => hasEndpoint(pod) && pod.spec.hostNetwork !== true);
    for (const pod of plugged) {
      if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase !== 'Running' || pod.status.podIP === undefined) continue;
      this.glue.work.once(`cep/${uidOf(pod)}`, () =>
        // A StatefulSet's pod has the name of the one before: 409 until that one's endpoint is gone, then again.
        this.glue.client.create(`/apis/cilium.io/v2/namespaces/${pod.metadata.namespace ?? ''}/ciliumendpoints`, cilium.endpoint(pod, view.instance)),
      );
    }
    const used = Object.fromEntries(
      plugged
        .map((pod): [string, unknown] => [pod.metadata.annotations?.[addressAnnotation] ?? '', { owner: `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`, resource: cilium.eniId(view.instance) }])
        .sort(([a], [b]) => a.localeCompare(b)),
    );
    const text = JSON.stringify(used);
    const name = view.node.metadata.name;
    if (this.usedReported.get(uidOf(view.node)) === text) return;
    this.glue.work.run(`used/${uidOf(view.node)}`, async () => {
      const body = [{ op: 'add', path: '/status/ipam/used', value: used }];
      await this.glue.client.jsonPatch(`/apis/cilium.io/v2/ciliumnodes/${name}/status`, body);
      this.usedReported.set(uidOf(view.node), text);
    });
  }
}

function hasEndpoint(pod: Pod): boolean {
  const cni = pod.metadata.annotations?.[cniAnnotation];
  return cni === 'cilium' || cni === 'chained';
}
