import { sha256Hex } from './digest.js';
import { forceText } from './gates.js';
import type { NodeRef } from './plan.js';

/** The name of the gate; it is no gate of the spec: only `drain.onTimeout: force` opens it, and one for each node. */
export const FORCE = 'force';

/** A pod that keeps its node from being drained. */
export interface BlockingPod {
  uid: string;
  namespace: string;
  name: string;
  /** `Deployment cart`. */
  owner: string;
  /** PodDisruptionBudget that refuses, `namespace/name`. */
  budget?: string;
  reason: string;
  /** ISO 8601. */
  since: string;
}

/** The gate `force` of one node: which of these pods may be deleted, though their budget or a rule of the drain says no? */
export interface OpenForce {
  node: Pick<NodeRef, 'name' | 'uid' | 'instanceId'>;
  /** Over the node's UID and those of the pods. An approval must carry the same. */
  digest: string;
  pods: BlockingPod[];
  /** ISO 8601. */
  since: string;
}

/** The gate as it stands for these pods, without those that were approved (UIDs); null where none is left to decide on. */
export function forceOf(of: Pick<OpenForce, 'node' | 'pods' | 'since'>, approved: readonly string[]): OpenForce | null {
  const { name, uid, instanceId } = of.node;
  const pods = of.pods.filter((pod) => !approved.includes(pod.uid));
  if (pods.length === 0) return null;
  const uids = pods.map((pod) => pod.uid);
  return { node: { name, uid, instanceId }, digest: sha256Hex(forceText(uid, uids)), pods, since: of.since };
}

/** `namespace/name`, as it is typed. */
export function podText({ namespace, name }: Pick<BlockingPod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** What the gate shows: one line a pod. */
export function forceLines(force: OpenForce): string[] {
  return force.pods.map((pod) => `Pod ${podText(pod)} of ${pod.owner}: ${pod.reason}, since ${pod.since.replace(/\.\d+Z$/, 'Z')}`);
}

/** What to type, with every pod that is open; whoever approves fewer leaves some out. */
export function forceCommand(migration: string, force: OpenForce): string {
  return `ciliate approve ${migration} ${FORCE} --node ${force.node.name} ${force.pods.map((pod) => `--pod ${podText(pod)}`).join(' ')} --reason TEXT`;
}

/** What an approval says of the gate. */
export interface ForceApproval {
  digest: string;
  node?: unknown;
  pods?: unknown;
}

/** Why an approval does not fit the open gates; null where it does. Never throws: what a person typed may be anything. */
export function forceRefusal(open: OpenForce[], approval: ForceApproval): string | null {
  const { node, pods } = approval;
  const nodes = open.map((force) => force.node.name).join(', ') || 'none';
  if (typeof node !== 'string') return `expected "node" for gate ${FORCE}; open for: ${nodes}`;
  const force = findForce(open, node);
  if (force === undefined) return `expected gate ${FORCE} to be open for ${node}; open for: ${nodes}`;
  const names = force.pods.map(podText);
  if (!Array.isArray(pods) || pods.length === 0) return `expected "pods", some of: ${names.join(', ')}`;
  const others = pods.filter((pod) => !names.includes(String(pod)));
  if (others.length > 0) return `expected pods that gate ${FORCE} of ${force.node.name} is open for (${names.join(', ')}), saw ${others.map(String).join(', ')}`;
  if (force.digest !== approval.digest) return `expected digest ${force.digest}: which pods block ${force.node.name} is not what was approved (${approval.digest}); look at the status again`;
  return null;
}

/** By Node name or instance id. */
export function findForce(open: OpenForce[], node: string): OpenForce | undefined {
  return open.find((force) => force.node.name === node || force.node.instanceId === node);
}
