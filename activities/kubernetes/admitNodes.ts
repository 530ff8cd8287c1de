import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { drainVerdict } from '../../domain/kubernetes/drain.js';
import { nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { instanceIdOf, isReady, zoneOf } from '../../domain/kubernetes/resources.js';
import type { Entries } from '../../domain/ledger.js';
import { CNI_LABEL, CNI_LABEL_AWS, GUARDS_LEDGER } from '../../domain/names.js';
import { admit } from '../../domain/pool/admit.js';
import { survey } from '../../domain/pool/survey.js';
import type { SeenGroup, SeenNode, SeenPod, Survey } from '../../domain/pool/survey.js';
import type { AdmitRequest, Admitted } from '../api.js';
import { describeGroups } from '../aws/groups.js';
import { raised } from '../aws/guards/sizes.js';
import { raiseCapacity } from '../aws/raiseCapacity.js';
import type { ClusterEvent } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { membershipsOf } from '../drivers/memberships.js';
import { readData } from './configMap.js';
import { guardsIn } from './guardsLedger.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { listNodes } from './lists.js';
import { isOperator, standingsOf } from './standing.js';
import { decrementedIn } from './terminations.js';

/** What could let another node start: a node that became usable, a budget that frees, a pod that left a node in flight. */
function matters(event: ClusterEvent): boolean {
  switch (event.kind) {
    case 'Node':
      return true;
    case 'Pod':
      return event.type === 'DELETED';
    case 'PodDisruptionBudget':
      return (event.object.status?.disruptionsAllowed ?? 0) > 0;
  }
}

/** Done when a node may start, or none is left to start. */
export function admitNodes(clients: Clients, request: AdmitRequest): Promise<Admitted> {
  return linger(clients, matters, () => pass(clients, request));
}

async function pass(clients: Clients, { refresh, ramp, exclude, later, flights, known }: AdmitRequest): Promise<Admitted> {
  const [snapshot, data, alone] = await Promise.all([clients.events.snapshot(), readData(clients, GUARDS_LEDGER), leftAlone(clients, refresh.leaveAlone)]);
  const ledger = guardsIn(data ?? {});
  const standing = await standingsOf(clients, snapshot);
  const memberships = await membershipsOf(clients, snapshot.nodes);
  const hosts = new Set(snapshot.pods.filter(isOperator).map((pod) => pod.spec?.nodeName));
  const nodes = snapshot.nodes.flatMap((node): SeenNode[] => {
    const instanceId = instanceIdOf(node);
    const name = node.metadata?.name ?? '';
    const at = standing.of(node);
    // A stuck one is not ours to touch, and nothing to build on.
    if (instanceId === undefined || at === 'other' || at === 'stuck') return [];
    const member = memberships.get(instanceId);
    const ref = { name, uid: node.metadata?.uid ?? '', instanceId, group: member?.group ?? '', zone: zoneOf(node) || (member?.zone ?? '') };
    return [{ ref, labels: node.metadata?.labels ?? {}, created: node.metadata?.creationTimestamp?.getTime() ?? 0, old: at === 'aws', usable: isUsable(node), hostsOperator: hosts.has(name) }];
  });
  const names = [...new Set(nodes.map(({ ref }) => ref.group))].filter((name) => name !== '' && nodePoolOf(name) === undefined);
  const groups = await describeGroups(clients, names);
  const seen: Survey = {
    nodes,
    pods: evictable(snapshot.pods),
    budgets: snapshot.budgets.map((budget) => ({ namespace: budget.metadata?.namespace ?? '', name: budget.metadata?.name ?? '', selector: budget.spec?.selector, disruptionsAllowed: budget.status?.disruptionsAllowed ?? 0 })),
    groups: sizesOf(nodes, groups, ledger),
    flights,
    decremented: decrementedIn(data ?? {}),
    exclude: [...exclude, ...alone],
    later,
    ramp,
    refresh,
  };
  const { view, most, maxSurge, oldNodes } = survey(seen);
  await raiseCapacity(clients, { extra: maxSurge, groups: oldNodes.filter(({ name }) => nodePoolOf(name) === undefined) }, { groups, ledger });
  const { start, waits } = admit(view);
  const left = view.candidates.length;
  const old = new Set(nodes.filter((node) => node.old).map(({ ref }) => ref.instanceId));
  const blockers = waits.map(({ node, why }) => ({ object: `Node ${node.name}`, reason: `waits for its turn: ${why}`, todo: 'It is started as soon as that is over.' }));
  const labelled = nodes.filter(({ labels }) => labels[CNI_LABEL] === CNI_LABEL_AWS).map(({ ref }) => ref.name);
  return look({
    known,
    done: start.length > 0 || left === 0,
    blockers,
    seenOf: blockers.map(({ object, reason }) => [object, reason]),
    extra: { start: start.map((each) => ({ ...each, surplus: !old.has(each.node.instanceId) })), counts: standing.counts, remaining: left, most, groups: oldNodes.map(({ name }) => name), leftAlone: labelled.filter((name) => alone.includes(name)) },
  });
}

async function leftAlone(clients: Clients, selector: string | undefined): Promise<string[]> {
  if (selector === undefined) return [];
  return (await listNodes(clients, selector)).map((node) => node.metadata?.name ?? '');
}

/** Groups of all nodes, also of those that are done: what they want together is what the cluster had. */
function sizesOf(nodes: readonly SeenNode[], groups: readonly AutoScalingGroup[], ledger: Entries): SeenGroup[] {
  const nodePools = [...new Set(nodes.map(({ ref }) => ref.group))].filter((name) => nodePoolOf(name) !== undefined);
  const sized = groups.map((group): SeenGroup => {
    const name = group.AutoScalingGroupName ?? '';
    const inService = (group.Instances ?? []).filter(({ LifecycleState }) => LifecycleState === 'InService').map(({ InstanceId = '' }) => InstanceId);
    return { name, desired: group.DesiredCapacity ?? 0, surge: raised(ledger, name), inService };
  });
  return [...sized, ...nodePools.map((name): SeenGroup => ({ name, desired: null, inService: [] }))];
}

function isUsable(node: V1Node): boolean {
  const repelling = (node.spec?.taints ?? []).some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return isReady(node) && node.spec?.unschedulable !== true && !repelling;
}

const EVICT_ALL = { emptyDir: 'evict', barePods: 'evict' } as const;

function evictable(pods: readonly V1Pod[]): SeenPod[] {
  return pods
    .filter((pod) => pod.spec?.nodeName !== undefined && pod.metadata?.deletionTimestamp === undefined && drainVerdict(pod, EVICT_ALL).act !== 'leave')
    .map((pod) => ({ node: pod.spec?.nodeName ?? '', namespace: pod.metadata?.namespace ?? '', labels: pod.metadata?.labels ?? {} }));
}
