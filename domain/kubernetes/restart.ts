import type { Blocker } from '../refresh.js';
import { budgetBlocker } from './drain.js';
import type { BudgetLike } from './drain.js';
import { fullName, podReady } from './resources.js';
import type { PodLike } from './resources.js';
import { BARE, restartName } from './restartOwner.js';
import type { RestartOwner } from './restartOwner.js';
import { takesAtOnce } from './rollingUpdate.js';
import type { UpdateStrategy } from './rollingUpdate.js';

export type { RestartOwner } from './restartOwner.js';

/** One workload as its spec and its status are now. */
export interface WorkloadSeen {
  strategy: UpdateStrategy;
  paused: boolean;
  /** Pods that it wants; of a DaemonSet one a node. */
  wanted: number;
  /** Its controller has seen the newest spec. */
  observed: boolean;
  /** Pods of the newest template, and pods of any. */
  updated: number;
  total: number;
  ready: number;
  available: number;
  /** The controller gave its rollout up (ProgressDeadlineExceeded). */
  stalled: boolean;
  /** Run that restarted it last, by the pod template. */
  mark: string | undefined;
}

/** A pod that Cilium does not network. */
export interface LackingPod<P extends PodLike> {
  pod: P;
  /** Names of the PodDisruptionBudgets that select it. */
  budgets: readonly string[];
  /** It was started when the agent of its node had been ready for long: another start would end the same. */
  late: boolean;
}

export interface BudgetSeen extends BudgetLike {
  /** Its status is of an older spec: the Eviction API refuses then too. */
  stale: boolean;
}

/** What was seen of one owner. */
export interface RestartSeen<P extends PodLike = PodLike> {
  owner: RestartOwner;
  /** Undefined: a kind whose spec is not read. */
  workload: WorkloadSeen | undefined;
  /** This run. */
  mark: string;
  /** Its pods that are not over, by what they say themselves: a status is a moment old. */
  pods: { ready: number; unready: number };
  /** The last evicted pod has no successor yet; only told of kinds whose spec is not read. */
  replacing: boolean;
  /** Pods on nodes of Cilium without a CiliumEndpoint. */
  without: readonly LackingPod<P>[];
  /** Every PodDisruptionBudget that selects one of its pods. */
  budgets: readonly BudgetSeen[];
  /** Epoch milliseconds. */
  now: number;
}

export type RestartDecision<P extends PodLike = PodLike> = { act: 'done' } | { act: 'rollout' } | { act: 'evict'; pod: P } | { act: 'wait'; blockers: Blocker[] };

/** Cilium's agent writes a CiliumEndpoint a moment after it networks the pod. */
const YOUNG_MS = 30_000;
/** Names in a blocker before the rest is counted. */
const NAMED = 3;
/** Steps in which progress is told, so that a large owner is no flood of news. */
const STEPS = 20;

/** The next thing to do about one owner whose pods Cilium does not network yet. Never a second pod while one is away. */
export function restartDecision<P extends PodLike>(seen: RestartSeen<P>): RestartDecision<P> {
  const { owner, workload, without } = seen;
  const paused = workload?.paused === true && without.length > 0 ? pausedBlocker(owner) : undefined;
  const held = paused ?? underWay(seen);
  if (held !== undefined) return wait(held);
  if (without.length === 0) return { act: 'done' };
  const grown = without.filter((lacking) => !isYoung(lacking, seen.now));
  if (grown.length === 0) return wait({ object: restartName(owner), reason: `${without.length} of its pods were just started and have no CiliumEndpoint yet (${names(without)})`, todo: 'It is awaited.' });
  if (workload?.mark === seen.mark) return wait(fruitless(owner, 'its rollout is over', grown));
  const unusable = budgetTrouble(seen);
  if (unusable !== undefined) return wait(unusable);
  return rolls(seen) ? rollout(seen) : eviction(seen, grown);
}

/** How far it has come, in a few steps: those that are left of all. Pods that were just started do not count. */
export function restartStep({ without, pods, now }: Pick<RestartSeen, 'without' | 'pods' | 'now'>): number {
  const left = without.filter((lacking) => !isYoung(lacking, now)).length;
  const all = Math.max(left, pods.ready + pods.unready);
  return all === 0 ? 0 : Math.ceil((Math.min(STEPS, all) * left) / all);
}

function wait(...blockers: Blocker[]): { act: 'wait'; blockers: Blocker[] } {
  return { act: 'wait', blockers };
}

function pausedBlocker(owner: RestartOwner): Blocker {
  const { namespace, name } = owner;
  return { object: restartName(owner), reason: 'it is paused, so it replaces no pod', todo: `kubectl -n ${namespace} rollout resume deployment/${name}`, firm: true };
}

/** What keeps it from being whole: a rollout of anybody, or pods that are not ready. */
function underWay(seen: RestartSeen): Blocker | undefined {
  const { owner, workload, pods } = seen;
  // Nobody makes a bare pod whole again.
  if (owner.kind === BARE) return undefined;
  const object = restartName(owner);
  const todo = `It is awaited: kubectl -n ${owner.namespace} get pods`;
  if (workload === undefined) {
    if (pods.unready > 0) return { object, reason: `${pods.unready} of its ${pods.unready + pods.ready} pods are not ready`, todo };
    return seen.replacing ? { object, reason: 'the pod that was evicted has no successor yet', todo } : undefined;
  }
  const rollout = rolloutUnderWay(workload);
  if (rollout !== undefined) return { object, reason: rollout, ...afterRollout(owner, workload) };
  const ready = Math.min(workload.ready, pods.ready);
  return ready < workload.wanted ? { object, reason: `${ready} of ${workload.wanted} pods are ready`, todo } : undefined;
}

function rolloutUnderWay({ strategy, paused, observed, wanted, updated, total, available }: WorkloadSeen): string | undefined {
  if (!observed) return 'its controller has not seen its newest spec yet';
  // What replaces pods only by hand, or in part, may stay half new for ever.
  if (paused || strategy.type === undefined || strategy.type === 'OnDelete' || (strategy.partition ?? 0) > 0) return undefined;
  if (updated < wanted) return `${updated} of ${wanted} pods are new`;
  if (total > updated) return `all ${wanted} pods are new, and ${total - updated} old ones are not gone yet`;
  return available < wanted ? `${available} of ${wanted} pods are available` : undefined;
}

function afterRollout({ kind, namespace, name }: RestartOwner, { stalled }: WorkloadSeen): Pick<Blocker, 'todo' | 'firm'> {
  const workload = `${kind.toLowerCase()}/${name}`;
  if (stalled) return { todo: `Its controller gave the rollout up: kubectl -n ${namespace} describe ${workload}`, firm: true };
  return { todo: `It is awaited: kubectl -n ${namespace} rollout status ${workload}` };
}

function isYoung({ pod }: LackingPod<PodLike>, now: number): boolean {
  const since = pod.metadata?.creationTimestamp;
  return since !== undefined && now - since.getTime() < YOUNG_MS;
}

/** A restart that did not help is not repeated. */
function fruitless(owner: RestartOwner, what: string, lacking: readonly LackingPod<PodLike>[]): Blocker {
  const reason = `${what}, and ${lacking.length} of its pods still have no CiliumEndpoint (${names(lacking)})`;
  const node = lacking[0]?.pod.spec?.nodeName;
  const agent = `kubectl -n kube-system get pods -l k8s-app=cilium${node === undefined ? '' : ` --field-selector spec.nodeName=${node}`}`;
  return { object: restartName(owner), reason, todo: `Another restart would not help; look at what Cilium's agent there says: ${agent}`, firm: true };
}

/** PodDisruptionBudgets that cannot be gone by: two on one pod, or one whose figures are old. */
function budgetTrouble({ owner, without, budgets }: RestartSeen): Blocker | undefined {
  const twice = without.find((lacking) => lacking.budgets.length > 1);
  if (twice !== undefined) {
    const reason = `more than one PodDisruptionBudget matches it (${twice.budgets.join(', ')}), which the Eviction API refuses`;
    return { object: `Pod ${fullName(twice.pod.metadata)}`, reason, todo: `Leave one: kubectl -n ${owner.namespace} get pdb`, firm: true };
  }
  const stale = budgets.find((budget) => budget.stale);
  return stale && { object: restartName(owner), reason: `the figures of PDB ${owner.namespace}/${stale.name} are of an older spec`, todo: 'Its controller is awaited.' };
}

const ROLL = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Whether it restarts its pods by itself, in a way that its budgets could ever allow. */
function rolls({ owner, workload, budgets }: RestartSeen): boolean {
  if (workload === undefined || !ROLL.has(owner.kind)) return false;
  const { strategy, wanted } = workload;
  // It takes all of them at once, which a budget never allows.
  if (strategy.type === 'Recreate') return budgets.length === 0;
  if (strategy.type !== 'RollingUpdate' || (strategy.partition ?? 0) > 0) return false;
  const takes = takesAtOnce(owner.kind, strategy, wanted);
  return takes === 0 || budgets.every(({ expectedPods, desiredHealthy }) => takes <= expectedPods - desiredHealthy);
}

/** A rollout asks no budget, so it begins only while each allows all that it may take away. */
function rollout({ owner, workload, without, budgets }: RestartSeen): RestartDecision<never> {
  const takes = workload === undefined ? 0 : takesAtOnce(owner.kind, workload.strategy, workload.wanted);
  const short = budgets.filter((budget) => budget.disruptionsAllowed < takes);
  if (short.length === 0) return { act: 'rollout' };
  return wait(...short.map((budget) => ({ object: restartName(owner), ...shortBlocker(owner, budget, { takes, pod: without[0]?.pod ?? {} }) })));
}

function shortBlocker(owner: RestartOwner, budget: BudgetSeen, { takes, pod }: { takes: number; pod: PodLike }): Omit<Blocker, 'object'> {
  const { reason, todo } = budgetBlocker(pod, `${owner.kind} ${owner.name}`, budget);
  const missing = budget.desiredHealthy + takes - budget.currentHealthy;
  if (takes <= 1 || missing <= 0) return { reason, todo };
  return { reason: `${reason}, and its rollout takes ${takes} at once`, todo: `Free once ${missing} more of its pods ${missing === 1 ? 'is' : 'are'} Ready: kubectl -n ${owner.namespace} get pods` };
}

/** One pod: first what is not ready anyway, then by name. */
function eviction<P extends PodLike>({ owner }: RestartSeen<P>, grown: readonly LackingPod<P>[]): RestartDecision<P> {
  const order = (a: LackingPod<P>, b: LackingPod<P>): number => Number(podReady(a.pod)) - Number(podReady(b.pod)) || (fullName(a.pod.metadata) < fullName(b.pod.metadata) ? -1 : 1);
  const [first] = grown.filter(({ late }) => !late).sort(order);
  return first === undefined ? wait(fruitless(owner, 'they were started with Cilium on their nodes', grown)) : { act: 'evict', pod: first.pod };
}

function names(lacking: readonly LackingPod<PodLike>[]): string {
  const sorted = lacking.map(({ pod }) => pod.metadata?.name ?? '').sort();
  return `${sorted.slice(0, NAMED).join(', ')}${sorted.length > NAMED ? ` and ${sorted.length - NAMED} more` : ''}`;
}
