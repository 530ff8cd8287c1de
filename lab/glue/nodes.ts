import { kubeletLabel } from '../cluster/stages.js';
import { condition, uidOf } from './types.js';
import type { Glue } from './glue.js';
import type { Condition, Instance, Node, Taint } from './types.js';

/** How long after an instance's end its Node's Ready turns Unknown (a minute and more in reality). */
const lostAfter = 500;

const effects: Record<string, string> = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute', PREFER_NO_SCHEDULE: 'PreferNoSchedule' };

/** Instances become Nodes, and Nodes of dead instances lose their kubelet and then go. */
export class Nodes {
  /** Instance id to the UID of the Node that its kubelet registered. */
  private readonly registered = new Map<string, string>();
  private readonly adopted = new Set<string>();

  constructor(private readonly glue: Glue) {}

  step(): void {
    const { world } = this.glue;
    for (const instance of world.aws.instances) {
      if (instance.state === 'running') this.boot(instance);
    }
    for (const node of world.nodes.values()) {
      const instance = world.instanceOf(node);
      if (instance === undefined || instance.state === 'pending' || instance.state === 'running') continue;
      this.lose(node, instance);
    }
  }

  /** Whether this Node has a kubelet: its instance runs, and it is the one that registered it. */
  isLive(node: Node): boolean {
    const instance = this.glue.world.instanceOf(node);
    if (instance?.state === 'running') return true;
    return this.adopter(node) !== undefined;
  }

  /** The instance whose kubelet keeps this Node. */
  instanceFor(node: Node): Instance | undefined {
    return this.adopter(node) ?? this.glue.world.instanceOf(node);
  }

  private adopter(node: Node): Instance | undefined {
    for (const id of this.adopted) {
      if (this.registered.get(id) !== uidOf(node)) continue;
      const instance = this.glue.world.instance(id);
      if (instance?.state === 'running') return instance;
    }
    return undefined;
  }

  private boot(instance: Instance): void {
    const { world, since, work, options } = this.glue;
    const age = since.age(`boot/${instance.id}`);
    if (age < options.bootDelay) {
      this.glue.wake(options.bootDelay - age + 1);
      return;
    }
    const existing = world.nodes.get(instance.name);
    const known = this.registered.get(instance.id);
    if (known !== undefined) {
      // A Node deleted under a living kubelet does not come back by itself; only one that it had taken over does.
      if (existing !== undefined || !this.adopted.has(instance.id)) return;
      this.adopted.delete(instance.id);
      this.registered.delete(instance.id);
    }
    if (existing !== undefined && existing.spec.providerID === providerId(instance)) {
      this.registered.set(instance.id, uidOf(existing));
      return;
    }
    if (existing !== undefined) {
      if (options.staleNode === 'adopt') this.adopt(existing, instance);
      return;
    }
    // A boot takes longer than collecting what was bound to a name that is given away again. Here both take a blink: the order is kept.
    if ([...world.pods.values()].some((pod) => pod.spec.nodeName === instance.name)) return;
    work.run(`register/${instance.id}`, async () => {
      const made = await this.glue.client.create<Node>('/api/v1/nodes', this.manifest(instance));
      this.registered.set(instance.id, uidOf(made));
      this.glue.log(`Node ${instance.name} registered by ${instance.id}`);
    });
  }

  /** What a kubelet does that finds a Node of its name: it keeps the object, labels and all, and reports into it. */
  private adopt(node: Node, instance: Instance): void {
    this.glue.work.run(`adopt/${instance.id}`, async () => {
      await this.glue.client.mergePatch(`/api/v1/nodes/${node.metadata.name}`, { metadata: { labels: { [kubeletLabel]: 'alive' } } });
      this.registered.set(instance.id, uidOf(node));
      this.adopted.add(instance.id);
      this.glue.log(`Node ${instance.name} taken over by ${instance.id}`);
    });
  }

  private lose(node: Node, instance: Instance): void {
    const { since, work, client, options } = this.glue;
    const path = `/api/v1/nodes/${node.metadata.name}`;
    if (this.adopter(node) === undefined) {
      if (node.metadata.labels?.[kubeletLabel] !== undefined) {
        this.glue.watchdog.instanceEnds(node, instance);
        work.run(`stop-kubelet/${uidOf(node)}`, () => client.mergePatch(path, { metadata: { labels: { [kubeletLabel]: null } } }));
      }
      const age = since.age(`lost/${uidOf(node)}`);
      if (age < lostAfter) this.glue.wake(lostAfter - age + 1);
      else if (condition(node, 'Ready')?.status !== 'Unknown') {
        const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', ...stamps() };
        work.run(`unknown/${uidOf(node)}`, () => client.strategicPatch(`${path}/status`, { status: { conditions: [unknown] } }));
      }
    }
    if (instance.state !== 'terminated') return;
    this.glue.addresses.forget(instance.id);
    if (options.cloudController === 'off') return;
    const patience = options.cloudController === 'on' ? 0 : options.cloudControllerDelay;
    const dead = since.age(`dead/${instance.id}`);
    if (dead < patience) this.glue.wake(patience - dead + 1);
    else {
      work.run(`cloud-delete/${uidOf(node)}`, async () => {
        await client.remove(path, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: uidOf(node) } });
        this.glue.log(`Node ${node.metadata.name} of ${instance.id} deleted by the cloud controller`);
      });
    }
  }

  /** Sets a condition if it differs, as a kubelet or operator would. */
  setCondition(node: Node, wanted: { type: string; status: string; reason: string; message: string }): void {
    const current = condition(node, wanted.type);
    if (current?.status === wanted.status && current.reason === wanted.reason) return;
    this.glue.work.run(`condition/${uidOf(node)}/${wanted.type}`, () =>
      this.glue.client.strategicPatch(`/api/v1/nodes/${node.metadata.name}/status`, { status: { conditions: [{ ...wanted, ...stamps() }] } }),
    );
  }

  private manifest(instance: Instance): unknown {
    const { options } = this.glue;
    const fromUser = parseUserData(instance.userData);
    const managed: Record<string, string> =
      instance.nodegroup === '' ? {} : { 'eks.amazonaws.com/nodegroup': instance.nodegroup, 'eks.amazonaws.com/nodegroup-image': instance.image, 'eks.amazonaws.com/capacityType': 'ON_DEMAND' };
    const taints = [...instance.taints.map((taint) => ({ key: taint.key, value: taint.value ?? '', effect: effects[taint.effect] ?? taint.effect })), ...fromUser.taints];
    const notReady: Condition = {
      type: 'Ready',
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
      ...stamps(),
    };
    const fine = (type: string, reason: string): Condition => ({ type, status: 'False', reason, message: `kubelet has no ${type}`, ...stamps() });
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: instance.name,
        labels: {
          'kubernetes.io/hostname': instance.name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'beta.kubernetes.io/os': 'linux',
          'beta.kubernetes.io/arch': 'amd64',
          'node.kubernetes.io/instance-type': instance.type,
          'beta.kubernetes.io/instance-type': instance.type,
          'topology.kubernetes.io/zone': instance.zone,
          'topology.kubernetes.io/region': instance.region,
          ...managed,
          ...instance.labels,
          ...fromUser.labels,
          [kubeletLabel]: 'alive',
        },
      },
      spec: { providerID: providerId(instance), ...(taints.length > 0 ? { taints } : {}) },
      status: {
        capacity: { cpu: '2', memory: '7910384Ki', pods: String(options.maxPods), 'ephemeral-storage': '20959212Ki' },
        allocatable: { cpu: '1930m', memory: '7220208Ki', pods: String(options.maxPods), 'ephemeral-storage': '18242267924' },
        addresses: [
          { type: 'InternalIP', address: instance.address },
          { type: 'InternalDNS', address: instance.name },
          { type: 'Hostname', address: instance.name },
        ],
        conditions: [
          fine('MemoryPressure', 'KubeletHasSufficientMemory'),
          fine('DiskPressure', 'KubeletHasNoDiskPressure'),
          fine('PIDPressure', 'KubeletHasSufficientPID'),
          notReady,
        ],
        nodeInfo: {
          architecture: 'amd64',
          bootID: instance.id,
          containerRuntimeVersion: 'containerd://2.1.4',
          kernelVersion: '6.12.40-64.114.amzn2023.x86_64',
          kubeProxyVersion: '',
          kubeletVersion: 'v1.36.3-eks-3abbec1',
          machineID: instance.id.replace('i-', '').padEnd(32, '0'),
          operatingSystem: 'linux',
          osImage: 'Amazon Linux 2023.8.20260801',
          systemUUID: instance.id,
        },
        daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      },
    };
  }
}

function providerId(instance: Instance): string {
  return `aws:///${instance.zone}/${instance.id}`;
}

function stamps(): { lastHeartbeatTime: string; lastTransitionTime: string } {
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  return { lastHeartbeatTime: now, lastTransitionTime: now };
}

/** The labels and taints that a launch template's user data hands to the kubelet. */
export function parseUserData(text: string): { labels: Record<string, string>; taints: Taint[] } {
  const labels: Record<string, string> = {};
  for (const pair of argument(text, '--node-labels').split(',')) {
    const [key, value] = pair.split('=');
    if (key !== undefined && key !== '') labels[key] = value ?? '';
  }
  const taints: Taint[] = [];
  for (const item of argument(text, '--register-with-taints').split(',')) {
    const match = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(item);
    if (match?.[1] !== undefined && match[3] !== undefined) taints.push({ key: match[1], value: match[2] ?? '', effect: match[3] });
  }
  return { labels, taints };
}

function argument(text: string, name: string): string {
  return new RegExp(`${name}[= ]["']?([^\\s"']+)`).exec(text)?.[1] ?? '';
}
