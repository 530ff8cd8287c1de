import type { V1DaemonSet, V1Deployment, V1Node, V1Pod, V1PodDisruptionBudget, V1StatefulSet } from '@kubernetes/client-node';

/** What the cloud shows of one Auto Scaling group. */
export interface Group {
  name: string;
  min: number;
  max: number;
  desired: number;
  suspended: string[];
}

export interface Cloud {
  groups: Group[];
  /** Instances that are pending or running. */
  living: string[];
}

/** The cluster before anybody touched it. */
export interface Before {
  nodes: V1Node[];
  pods: V1Pod[];
  daemonSets: V1DaemonSet[];
  workloads: (V1Deployment | V1StatefulSet)[];
  budgets: V1PodDisruptionBudget[];
  cloud: Cloud;
}

export interface Figures {
  /** Epoch ms of the first change that anybody made. */
  firstChange: number | undefined;
  /** Epoch ms of the first moment at which all was as before and every old node gone. */
  back: number | undefined;
  /** The same, but for suspended processes: whoever guards the roll for longer gives them back later. */
  rolled: number | undefined;
  replicas: number;
  disruptions: number;
  /** Moments at which a budget's workload fell below what it demands, each as `budget: available/demanded`. */
  violations: string[];
  unavailableReplicaSeconds: number;
  usable: { start: number; lowest: number; most: number };
  mostInstances: number;
  /** [seconds since the first change, usable nodes], at each change. */
  usableOverTime: [number, number][];
}

interface AppPod {
  workload: string;
  ready: boolean;
  ending: boolean;
}

/**
 * Counts what happens to a cluster, from watch events and the cloud's state: pure, so that its rules can be tested. Times are
 * epoch milliseconds and never go back.
 */
export class Tally {
  readonly #oldNodes: Set<string>;
  readonly #oldInstances: Set<string>;
  readonly #wanted = new Map<string, number>();
  /** Workload to the pods that its budget demands. */
  readonly #demanded = new Map<string, number>();
  readonly #daemonSets: Map<string, number | undefined>;
  readonly #nodes = new Map<string, V1Node>();
  readonly #pods = new Map<string, AppPod>();
  readonly #disrupted = new Set<string>();
  readonly #violating = new Set<string>();
  readonly #usable: [number, number][] = [];
  readonly #figures: Pick<Figures, 'firstChange' | 'back' | 'rolled' | 'violations' | 'unavailableReplicaSeconds' | 'mostInstances'>;
  #cloud: Cloud;
  #missing = 0;
  #at: number;

  constructor(
    private readonly before: Before,
    at: number,
  ) {
    this.#at = at;
    this.#cloud = before.cloud;
    this.#oldInstances = new Set(before.cloud.living);
    this.#oldNodes = new Set(before.nodes.map((node) => node.metadata?.uid ?? ''));
    this.#daemonSets = new Map(before.daemonSets.map((set) => [nameOf(set), set.metadata?.generation]));
    this.#figures = { firstChange: undefined, back: undefined, rolled: undefined, violations: [], unavailableReplicaSeconds: 0, mostInstances: before.cloud.living.length };
    for (const workload of before.workloads) this.#wanted.set(nameOf(workload), workload.spec?.replicas ?? 1);
    for (const budget of before.budgets) {
      const wanted = this.#wanted.get(nameOf(budget));
      if (wanted !== undefined) this.#demanded.set(nameOf(budget), wanted - Number(budget.spec?.maxUnavailable ?? 0));
    }
    for (const node of before.nodes) this.#nodes.set(nameOf(node), node);
    for (const pod of before.pods) this.#keepPod(pod);
    this.#look(at);
  }

  node(type: string, node: V1Node, at: number): void {
    const name = nameOf(node);
    const known = this.#nodes.get(name);
    if (type === 'DELETED') this.#nodes.delete(name);
    else this.#nodes.set(name, node);
    if (type === 'DELETED' || known === undefined || marks(known) !== marks(node)) this.#changed(at);
    this.#look(at);
  }

  pod(type: string, pod: V1Pod, at: number): void {
    const uid = pod.metadata?.uid ?? '';
    if (workloadOf(pod) === undefined || !this.#wanted.has(workloadOf(pod) ?? '')) return;
    const placed = (pod.spec?.nodeName ?? '') !== '';
    if (placed && (type === 'DELETED' || pod.metadata?.deletionTimestamp !== undefined)) {
      this.#disrupted.add(uid);
      this.#changed(at);
    }
    if (type === 'DELETED') this.#pods.delete(uid);
    else this.#keepPod(pod);
    this.#look(at);
  }

  daemonSet(type: string, set: V1DaemonSet, at: number): void {
    const generation = type === 'DELETED' ? undefined : set.metadata?.generation;
    if (this.#daemonSets.get(nameOf(set)) !== generation) this.#changed(at);
    this.#daemonSets.set(nameOf(set), generation);
  }

  cloud(cloud: Cloud, at: number): void {
    if (JSON.stringify(cloud.groups) !== JSON.stringify(this.#cloud.groups)) this.#changed(at);
    this.#cloud = cloud;
    this.#figures.mostInstances = Math.max(this.#figures.mostInstances, cloud.living.length);
    this.#look(at);
  }

  /** Whether it is all as it was, on other nodes. */
  get isBack(): boolean {
    return this.#figures.back !== undefined;
  }

  figures(at: number): Figures {
    this.#look(at);
    const from = this.#figures.firstChange ?? at;
    const counts = this.#usable.map(([, count]) => count);
    return {
      ...this.#figures,
      replicas: [...this.#wanted.values()].reduce((sum, wanted) => sum + wanted, 0),
      disruptions: this.#disrupted.size,
      usable: { start: counts[0] ?? 0, lowest: Math.min(...counts), most: Math.max(...counts) },
      usableOverTime: this.#usable.map(([when, count]) => [Math.max(0, when - from) / 1000, count]),
    };
  }

  #changed(at: number): void {
    this.#figures.firstChange ??= at;
  }

  #keepPod(pod: V1Pod): void {
    const workload = workloadOf(pod);
    if (workload === undefined) return;
    this.#pods.set(pod.metadata?.uid ?? '', { workload, ready: isTrue(pod.status?.conditions, 'Ready'), ending: pod.metadata?.deletionTimestamp !== undefined });
  }

  /** Takes the time since the last look into the sums, then sees what is there now. */
  #look(at: number): void {
    this.#figures.unavailableReplicaSeconds += (this.#missing * (at - this.#at)) / 1000;
    this.#at = at;
    const available = new Map<string, number>();
    for (const pod of this.#pods.values()) if (pod.ready && !pod.ending) available.set(pod.workload, (available.get(pod.workload) ?? 0) + 1);
    this.#missing = 0;
    for (const [workload, wanted] of this.#wanted) {
      const has = available.get(workload) ?? 0;
      this.#missing += Math.max(0, wanted - has);
      this.#judge(workload, has);
    }
    const usable = [...this.#nodes.values()].filter(isUsable).length;
    if (this.#usable.at(-1)?.[1] !== usable) this.#usable.push([at, usable]);
    // The first time counts: agents that restart later, for enforcement, are not the roll.
    if (!this.#asBefore(usable)) return;
    this.#figures.rolled ??= at;
    if (JSON.stringify(this.#cloud.groups) === JSON.stringify(this.before.cloud.groups)) this.#figures.back ??= at;
  }

  #judge(workload: string, available: number): void {
    const demanded = this.#demanded.get(workload);
    if (demanded === undefined) return;
    if (available >= demanded) this.#violating.delete(workload);
    else if (!this.#violating.has(workload)) {
      this.#violating.add(workload);
      this.#figures.violations.push(`${workload}: ${available}/${demanded}`);
    }
  }

  #asBefore(usable: number): boolean {
    const { nodes, cloud } = this.before;
    return (
      this.#missing === 0 &&
      usable === nodes.length &&
      this.#nodes.size === nodes.length &&
      ![...this.#nodes.values()].some((node) => this.#oldNodes.has(node.metadata?.uid ?? '')) &&
      this.#cloud.living.length === cloud.living.length &&
      !this.#cloud.living.some((id) => this.#oldInstances.has(id)) &&
      sizes(this.#cloud) === sizes(cloud)
    );
  }
}

function nameOf(object: { metadata?: { name?: string } }): string {
  return object.metadata?.name ?? '';
}

/** The busy workload labels each pod with its workload's name. */
function workloadOf(pod: V1Pod): string | undefined {
  return pod.metadata?.labels?.['app'];
}

function isTrue(conditions: { type: string; status: string }[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function sizes({ groups }: Cloud): string {
  return JSON.stringify(groups.map(({ name, min, max, desired }) => [name, min, max, desired]));
}

/** Ready, not cordoned, and open to ordinary pods. */
export function isUsable(node: V1Node): boolean {
  const closed = node.spec?.taints?.some((taint) => taint.effect !== 'PreferNoSchedule') ?? false;
  return isTrue(node.status?.conditions, 'Ready') && node.spec?.unschedulable !== true && !closed;
}

/** What a person or a program would change on a node. */
function marks(node: V1Node): string {
  return JSON.stringify([node.metadata?.labels, node.spec?.unschedulable ?? false, node.spec?.taints ?? []]);
}
