import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { Direction } from '../../domain/directions/index.js';
import { drainVerdict } from '../../domain/kubernetes/drain.js';
import { instanceIdOf, isReady, zoneOf } from '../../domain/kubernetes/resources.js';
import type { Entries } from '../../domain/ledger.js';
import { GUARDS_LEDGER } from '../../domain/names.js';
import type { Flight, SeenGroup, SeenNode, SeenPod, Survey } from '../../domain/pool/survey.js';
import type { NodeCounts } from '../../domain/status.js';
import { aliveIn, describeGroups } from '../aws/groups.js';
import { raisedGroups, raisedNow } from '../aws/guards/sizes.js';
import type { Snapshot } from '../clients/events.js';
import type { Clients } from '../clients/index.js';
import { driversOf } from '../drivers/find.js';
import { membershipsOf } from '../drivers/memberships.js';
import { readData } from './configMap.js';
import { guardsIn } from './guardsLedger.js';
import { isOperator, standingsOf } from './standing.js';
import { decrementedIn } from './terminations.js';

/** What admission is decided on, read from the cluster at this moment. */
export interface PoolSeen {
  survey: Pick<Survey, 'nodes' | 'pods' | 'budgets' | 'groups' | 'decremented'>;
  counts: NodeCounts;
  /** The Auto Scaling groups behind the nodes, and the ledger that knows their sizes of before. */
  groups: AutoScalingGroup[];
  ledger: Entries;
  snapshot: Snapshot;
}

/**
 * Nodes, pods and budgets from the shared watch; groups and ledger are read.
 *
 * @param flights nodes in flight: the last Node of a group may be gone by now, and what the group had is still wanted
 */
export async function readPool(clients: Clients, direction: Direction, flights: readonly Pick<Flight, 'group'>[]): Promise<PoolSeen> {
  const [snapshot, data] = await Promise.all([clients.events.snapshot(), readData(clients, GUARDS_LEDGER)]);
  const ledger = guardsIn(data ?? {});
  const standing = await standingsOf(clients, direction, snapshot);
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
    return [{ ref, labels: node.metadata?.labels ?? {}, created: node.metadata?.creationTimestamp?.getTime() ?? 0, old: at === 'old', usable: isUsable(node), hostsOperator: hosts.has(name) }];
  });
  // Groups of all nodes, also of those that are done or gone: what they want together is what the cluster had.
  const names = [...new Set([...nodes.map(({ ref }) => ref.group), ...flights.map(({ group }) => group), ...raisedGroups(ledger)])].filter((name) => name !== '');
  const drivers = await driversOf(clients, names);
  const isSized = (name: string): boolean => drivers.get(name)?.sized === true;
  const groups = await describeGroups(clients, names.filter(isSized));
  return {
    survey: {
      nodes,
      pods: evictable(snapshot.pods),
      budgets: snapshot.budgets.map((budget) => ({ namespace: budget.metadata?.namespace ?? '', name: budget.metadata?.name ?? '', selector: budget.spec?.selector, disruptionsAllowed: budget.status?.disruptionsAllowed ?? 0 })),
      groups: [...groups.map((group) => sizeOf(group, ledger)), ...names.filter((name) => !isSized(name)).map((name) => ({ name, desired: null, inService: [] }))],
      decremented: decrementedIn(data ?? {}),
    },
    counts: standing.counts,
    groups,
    ledger,
    snapshot,
  };
}

function sizeOf(group: AutoScalingGroup, ledger: Entries): SeenGroup {
  const name = group.AutoScalingGroupName ?? '';
  const inService = (group.Instances ?? []).filter(({ LifecycleState }) => LifecycleState === 'InService').map(({ InstanceId = '' }) => InstanceId);
  return { name, desired: group.DesiredCapacity ?? 0, surge: raisedNow(ledger, group), inService, alive: aliveIn(group).length };
}

function isUsable(node: V1Node): boolean {
  const repelling = (node.spec?.taints ?? []).some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return isReady(node) && node.spec?.unschedulable !== true && !repelling;
}

const EVICT_ALL = { emptyDir: 'evict', barePods: 'evict' } as const;

/** Kubernetes' own default: the API server fills it in. */
const USUAL_GRACE_SECONDS = 30;

function evictable(pods: readonly V1Pod[]): SeenPod[] {
  return pods
    .filter((pod) => pod.spec?.nodeName !== undefined && pod.metadata?.deletionTimestamp === undefined && drainVerdict(pod, EVICT_ALL).act !== 'leave')
    .map((pod) => ({ node: pod.spec?.nodeName ?? '', namespace: pod.metadata?.namespace ?? '', labels: pod.metadata?.labels ?? {}, graceSeconds: pod.spec?.terminationGracePeriodSeconds ?? USUAL_GRACE_SECONDS }));
}
