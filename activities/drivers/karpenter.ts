import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { NODEPOOL_LABEL, PROVISIONER_LABEL, karpenterPool, nodePoolOf } from '../../domain/kubernetes/karpenter.js';
import { fullName, instanceIdOf } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import type { NodeRequest } from '../api.js';
import { isGoing } from '../aws/instances.js';
import { recentInstances } from '../aws/recent.js';
import type { Clients } from '../clients/index.js';
import { touchedAt } from '../kubernetes/guardsLedger.js';
import { deleteNodeClaim, instanceOf, listNodeClaims } from '../kubernetes/karpenter.js';
import type { NodeClaim } from '../kubernetes/karpenter.js';
import { pendingPods } from '../kubernetes/lists.js';
import type { Candidates, Place, ReplacementDriver } from './driver.js';

/**
 * Karpenter, API v1: a node ends with its NodeClaim, whose finalizer terminates the instance. A replacement is made only for pods
 * that no node has room for, so there may rightly be none (https://karpenter.sh/docs/concepts/disruption/, "Manual Methods").
 */
export const karpenter: ReplacementDriver = {
  kind: 'karpenter',
  // A NodePool makes nodes when pods wait for them.
  sized: false,
  title,
  endText: ({ instanceId, group }) => `NodeClaim of instance ${instanceId} deleted in ${title(group)}`,
  lingering: (group) => `It is awaited; Karpenter ends it once its pods and volumes are gone: kubectl get nodeclaims -l ${NODEPOOL_LABEL}=${nodePoolOf(group)} -o custom-columns=NAME:.metadata.name,ID:.status.providerID`,
  places,
  marks: (labels) => labels[NODEPOOL_LABEL] !== undefined || labels[PROVISIONER_LABEL] !== undefined,
  owns: (_clients, groups) => Promise.resolve(groups.filter((group) => nodePoolOf(group) !== undefined)),
  instancesBefore,
  // A NodePool has no size; and what is deleted already is not deleted again.
  ending: (_clients, _request, going) => Promise.resolve({ ask: !going, decrement: false }),
  terminate,
  candidates,
};

function title(group: string): string {
  return `NodePool ${nodePoolOf(group) ?? group}`;
}

/** The label says that Karpenter made it; only with its NodeClaim can it be ended. */
async function places({ kube }: Clients, nodes: readonly V1Node[]): Promise<Map<string, Place>> {
  const found = new Map<string, Place>();
  const labelled = nodes.filter((node) => node.metadata?.labels?.[NODEPOOL_LABEL] !== undefined);
  if (labelled.length === 0) return found;
  const claimed = new Set((await listNodeClaims(kube)).map(instanceOf));
  for (const node of labelled) {
    const id = instanceIdOf(node);
    if (id !== undefined && claimed.has(id)) found.set(id, { group: karpenterPool(node.metadata?.labels?.[NODEPOOL_LABEL] ?? ''), zone: '' });
  }
  return found;
}

/** Karpenter answers to the first evicted pod: so a replacement may be older than the termination, but not than our cordon. */
async function instancesBefore(clients: Clients, ref: NodeRef, endedAt?: Date): Promise<string[]> {
  const since = endedAt ?? (await touchedAt(clients, ref.uid)) ?? new Date();
  // NodeClaims know whole seconds only.
  const second = Math.floor(since.getTime() / 1000) * 1000;
  return (await listNodeClaims(clients.kube, nodePoolOf(ref.group))).filter(({ metadata }) => Date.parse(metadata.creationTimestamp) < second).flatMap((claim) => instanceOf(claim) ?? []);
}

async function terminate({ kube }: Clients, { node }: NodeRequest): Promise<void> {
  const claim = (await listNodeClaims(kube, nodePoolOf(node.group))).find((each) => instanceOf(each) === node.instanceId);
  if (claim === undefined) throw unclaimed(node);
  if (claim.metadata.deletionTimestamp === undefined) await deleteNodeClaim(kube, claim.metadata);
}

/** Karpenter ends an instance of its own that has no NodeClaim, within minutes. */
function unclaimed({ name, instanceId, group }: NodeRef): CiliateError {
  return new CiliateError(
    'Transient',
    { object: `Instance ${instanceId} (Node ${name})`, expected: `a NodeClaim of ${title(group)}`, seen: 'none, though the instance lives', todo: 'Karpenter should end it by itself; where it stays, terminate it by hand: aws ec2 terminate-instances --instance-ids ' + instanceId },
    { code: 'NodeClaimMissing' },
  );
}

async function candidates(clients: Clients, ref: NodeRef, before: readonly string[]): Promise<Candidates> {
  const fresh = (await staying(clients, ref)).filter((claim) => !before.includes(instanceOf(claim) ?? ''));
  const instances = await recentInstances(
    clients,
    fresh.flatMap((claim) => instanceOf(claim) ?? []),
  );
  const alive = instances.filter((instance) => !isGoing(instance.State?.Name ?? 'terminated'));
  if (alive.length > 0) return { instances: alive, awaited: [] };
  const launching = fresh.filter((claim) => instanceOf(claim) === undefined);
  return { instances: [], awaited: launching.length > 0 ? launching.map(unlaunched) : wanting(ref, await pendingPods(clients)) };
}

async function staying({ kube }: Pick<Clients, 'kube'>, ref: NodeRef): Promise<NodeClaim[]> {
  const claims = await listNodeClaims(kube, nodePoolOf(ref.group));
  return claims.filter((claim) => claim.metadata.deletionTimestamp === undefined && instanceOf(claim) !== ref.instanceId);
}

function unlaunched({ metadata: { name }, status }: NodeClaim): Blocker {
  const failed = status?.conditions?.find((condition) => condition.type === 'Launched' && condition.status !== 'True' && condition.message);
  return { object: `NodeClaim ${name}`, reason: failed === undefined ? 'is not launched yet' : `is not launched: ${failed.message}`, todo: `kubectl describe nodeclaim ${name}` };
}

/** Karpenter answers a pending pod within seconds: one that has waited longer is not waiting for this NodePool. */
const ANSWER_MS = 60_000;

function wanting(ref: NodeRef, pods: V1Pod[]): Blocker[] {
  const waiting = pods.filter((pod) => {
    const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    return scheduled?.reason === 'Unschedulable' && Date.now() - (scheduled.lastTransitionTime?.getTime() ?? 0) < ANSWER_MS;
  });
  if (waiting.length === 0) return [];
  return [{ object: title(ref.group), reason: `has made no NodeClaim yet for Pod ${fullName(waiting[0]?.metadata)}${waiting.length > 1 ? ` and ${waiting.length - 1} more` : ''}`, todo: `It is awaited; its limits may be reached: kubectl describe nodepool ${nodePoolOf(ref.group)}` }];
}
