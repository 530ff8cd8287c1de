import type { Toward } from '../domain/directions/index.js';
import type { BlockingPod } from '../domain/force.js';
import type { RestartOwner } from '../domain/kubernetes/restart.js';
import type { MasqueradeDecision, NodeRef, Plan } from '../domain/plan.js';
import type { Blocker, NodeResult, WorkloadReady } from '../domain/refresh.js';
import type { Ramp } from '../domain/pool/ramp.js';
import type { Flight } from '../domain/pool/survey.js';
import type { ProbesSpec } from '../domain/spec/probes.js';
import type { ClusterRef, DrainSpec, Manifest, RefreshSpec } from '../domain/spec/schema.js';
import type { Strategy } from '../domain/spec/words.js';
import type { NodeCounts } from '../domain/status.js';

/**
 * The contract between workflows and side effects. Every activity converges: it reads before it writes, and running it
 * twice is running it once. Errors are CiliateErrors (domain/failures.ts). Payloads carry references, never credentials.
 *
 * A wait is a *look*: one short pass that returns when it is done or when what it sees has changed since `known`, and
 * otherwise fails with the benign kind NotYet, so that the server's retry does the waiting: no worker slot is held, no
 * history grows, and the pending activity's last failure says in Temporal's UI what is awaited (docs/adr/0003).
 */
export interface Target {
  /** metadata.name of the migration. */
  migration: string;
  cluster: ClusterRef;
  /** `<Temporal cluster id>/<namespace>/<workflow id>`: what the Lease must say while anything is written. */
  holder: string;
  /** Where the nodes move to; absent: to Cilium. */
  toward?: Toward;
  /** Of a way back: Cilium is chained, so the nodes that it leaves run aws-node too. */
  chained?: boolean;
}

export interface Look {
  done: boolean;
  /** Digest of what was seen; pass it back as `known`. Coarse on purpose: only what a person would call a change. */
  seen: string;
  blockers: Blocker[];
}

export interface TemporalFacts {
  /** `<Temporal cluster id>/<namespace>/<workflow id>`. */
  holder: string;
  /** Whether every search attribute of ours is registered; where not, the run goes without them. */
  searchAttributes: boolean;
}

/** What the later steps need of the plan: carried by the workflow, so kept small. */
export interface PlanDigest {
  mode: Plan['mode'];
  installDigest: string;
  chart: Plan['chart'];
  masquerade: MasqueradeDecision;
  /** Inputs of the values that were read from the cluster (domain/cilium/values.ts, ValuesFacts), kept so that they never change under way. */
  valuesFacts: Record<string, unknown>;
  nodes: number;
  findings: Plan['findings'];
  blocked: boolean;
  /** Lines shown at the gate accept-limits; empty where nothing is chained. */
  limits?: string[];
  /** Lines shown at the gate before-install. */
  shows: string[];
  /** What before-enforcement decides on: sha256 of the Helm values of that phase, and the lines that show them. */
  enforcement: { digest: string; shows: string[] };
}

/** `whole`: from take to give-back. `changing`: only while nodes are being changed. */
export type GuardSet = 'whole' | 'changing';

export interface CiliumRequest {
  target: Target;
  manifest: Manifest;
  plan: Pick<PlanDigest, 'chart' | 'masquerade' | 'valuesFacts'>;
  phase: 'migration' | 'enforcement' | 'final' | 'rollback';
}

export interface EnsuredCilium {
  revision: number;
  changed: boolean;
  /** The phase that the release is in now: a later one than asked for where an earlier run had come further. */
  phase: CiliumRequest['phase'];
  /** Values of phase `final`, as YAML. */
  finalValues: string;
}

export interface NodeRequest {
  target: Target;
  node: NodeRef;
}

/** What the run knows of its pool; everything else is read from the cluster. */
export interface AdmitRequest {
  target: Target;
  refresh: RefreshSpec;
  ramp: Ramp;
  /** Instance ids or Node names that are not to be started: skipped, or postponed for good. */
  exclude: string[];
  /** Instance ids that are started only when no other is left: postponed. */
  later: string[];
  flights: Flight[];
  known: string;
}

/** As {@link AdmitRequest}, for a run that ends in the middle of a surge. */
export type SurplusRequest = Pick<AdmitRequest, 'target' | 'refresh' | 'exclude' | 'flights' | 'known'>;

/** Whether the zones of groups are to be evened out. */
export interface EvenRequest {
  target: Target;
  /** How uneven each group was at its last round: it gets another only if that helped. null: it is only told which are uneven. */
  tried: Record<string, number> | null;
}

/** As {@link AdmitRequest}; nobody waits. */
export type ResizeRequest = Omit<AdmitRequest, 'known'>;

export interface Admitted extends Look {
  /** Sizes of groups are to be changed before anything starts (resizeGroups). */
  resize: boolean;
  /** `surplus`: a Cilium node that a surge has left over. */
  start: { node: NodeRef; decrement: boolean; surplus: boolean }[];
  counts: NodeCounts;
  /** Nodes that are still to be started. */
  remaining: number;
  /** Most nodes that the limits allow in flight. */
  most: number;
  /** Groups of which a node may start now, so that their canaries are due. */
  groups: string[];
  /** Names of labelled nodes that `refresh.leaveAlone` selects. */
  leftAlone: string[];
}

export interface DrainRequest extends NodeRequest {
  drain: DrainSpec;
  /** A node that a surge has left over. Absent: not known. */
  surplus?: boolean;
  /** News within so many milliseconds of the last are not told: they change all the time. */
  paceMs?: number;
  known: string;
  forced?: string[];
  blocking?: BlockingPod[];
}

export interface Drained extends Look {
  /** Evicted by this look, or deleted by approval. */
  evicted: number;
  /** Pods that keep the node from being drained. */
  blocking: BlockingPod[];
  /** VolumeAttachments that are left where the pods are gone. */
  volumes: string[];
  /** For the report. */
  notes: string[];
  /** Why the node is let go of: its instance registered anew, undrained, and comes again as that. */
  gone?: string;
}

/** A page of a run's results (docs/adr/0011). */
export interface NodePageRequest {
  cluster: ClusterRef;
  run: string;
  page: number;
}

export interface ProbeRequest extends NodeRequest {
  probes: ProbesSpec;
  /** Name of the Node that replaced it; null where none was due. */
  replacement: string | null;
  /** ISO 8601: when the node's probes began. Their limits are counted from here. */
  since: string;
  known: string;
}

/** What of a chained migration is left to be restarted. */
export interface NextRestart {
  /** The first of those that wait; null: none does. */
  owner: RestartOwner | null;
  /** Owners that wait, those in `left` not counted, and their pods without a CiliumEndpoint. */
  waiting: number;
  pods: number;
  /** `namespace/name` of up to 20 pods without a CiliumEndpoint that nobody makes again and that are left alone; and how many there are. */
  bare: string[];
  bareCount: number;
}

export interface RestartRequest {
  target: Target;
  owner: RestartOwner;
  /** First run id of the migration: a pod template that carries it is not restarted again. */
  mark: string;
  known: string;
}

export interface Restarted extends Look {
  /** Evicted by this look. */
  evicted: number;
  /** Its pod template carries the mark. */
  rolled: boolean;
}

export interface Activities {
  // --- Temporal itself
  /** Reads the Temporal cluster id and which search attributes exist. Input: nothing; the workflow id is the activity's own. */
  temporalFacts(): Promise<TemporalFacts>;
  /** Strictly validates what `workflow start` was given (domain/spec/schema.ts). Permanent failure names every issue. */
  readManifest(input: unknown): Promise<Manifest>;

  // --- 1 observe and preflight: reads only
  preflight(input: { target: Target; manifest: Manifest }): Promise<PlanDigest>;

  // --- 2 take the cluster
  /** Creates, renews or takes over the Lease (rules: docs/adr/0004). Permanent failure `LeaseHeld` names the other holder. */
  takeLease(input: { target: Target }): Promise<{ tookOverFrom: string | null }>;
  renewLease(input: { target: Target }): Promise<void>;
  releaseLease(input: { target: Target }): Promise<void>;
  /** Saves prior aws-node (DaemonSet, ServiceAccount, RBAC, add-on) in the CNI ledger, once: a saved original is never overwritten; and the id that the cluster will have. */
  saveCni(input: { target: Target; clusterId?: number; strategy?: Strategy }): Promise<void>;
  /** Takes a set of guards, ledger first. Repeats: only what is missing is taken (new nodes too). */
  holdGuards(input: { target: Target; set: GuardSet }): Promise<{ taken: string[] }>;
  /** Gives back a set: only where the value is still ours; the rest is named in `left`. `whole` gives back everything, nodes' too. */
  giveBackGuards(input: { target: Target; set: GuardSet }): Promise<{ given: string[]; left: string[]; missed: string[] }>;

  // --- 3 label
  /**
   * Labels the nodes that run aws-node and not Cilium, one by one, re-lists, verifies. A node that came up on Cilium is
   * never labelled; a node with neither agent yet is awaited (NotYet names it).
   */
  labelNodes(input: { target: Target }): Promise<{ labelled: number; already: number; onCilium: number }>;

  // --- 4 restrict aws-node
  /** Appends `cni-plugin In [aws]` to every term: JSON patch with a test, or UpdateAddon. Returns how, and the add-on update's id. */
  restrictAwsNode(input: { target: Target }): Promise<{ how: 'patched' | 'addon' | 'already'; updateId?: string }>;
  /** Look: add-on ACTIVE (where there is one), live terms all restricted, environment unchanged, rollout complete. */
  lookAwsNodeRestricted(input: { target: Target; known: string; updateId?: string }): Promise<Look>;

  // --- 5, 8, 9 Cilium by Helm
  /** Renders, asserts (fail closed), installs or upgrades; recovers a pending release of ours. No wait. */
  ensureCilium(input: CiliumRequest): Promise<EnsuredCilium>;
  /** Look: operator ready, CRDs established, agents = nodes that match affinity, rolled out, each proven to run on this revision's values. */
  lookCilium(input: CiliumRequest & { known: string }): Promise<Look & { agents: number }>;
  /** While no node ever ran Cilium: uninstall, agents gone, re-list; only then aws-node's affinity back and labels off. Halfway states converge. */
  unwindInstall(input: { target: Target }): Promise<{ unwound: boolean; why: string }>;

  // --- 6 refresh
  /** How many nodes stand where. */
  countNodes(input: { target: Target }): Promise<NodeCounts>;
  /**
   * Look: which nodes may start now, by what the cluster is at this moment; done when one may, none is left, or groups are to be
   * resized first. Reads only, so that a run need not wait for the end of one that it has given up.
   */
  admitNodes(input: AdmitRequest): Promise<Admitted>;
  /** What admission found to be resized: extra capacity for a surge raised, ledger before sizes; launches that fail called off. Older workers answer nothing. */
  resizeGroups(input: ResizeRequest): Promise<{ notes: string[] } | undefined>;
  /**
   * Look: which extra nodes of a surge may go now, for a run that ends early; `remaining` 0: every group has its size of before.
   * Calls off launches that fail; the soft taint goes over to the nodes that leave.
   */
  admitSurplus(input: SurplusRequest): Promise<Admitted>;
  /**
   * Where a group's zones became uneven with us, and AZRebalance would even them out undrained: one node more (it comes where there
   * are fewest), ledger first, so that admission then takes one back where there are most. Run again it adds no second one. `raised`:
   * groups that have one to lose now, and how uneven they are.
   */
  evenZones(input: EvenRequest): Promise<{ raised: Record<string, number>; notes: string[] }>;
  /**
   * Look: what is true of the node right now (identity is instance id and Node UID), and whether the cluster would stand its
   * loss: operator ready and with a place to go, workloads not already down (its pool is admission's matter). Then, ledger
   * first, cordon and exclude-from-external-load-balancers. `workloads` have pods here, with their ready counts from before. A
   * situation other than `present` is done at once, with nothing touched. `surplus`: a Cilium node that a surge has left over.
   */
  prepareNode(input: NodeRequest & { surplus: boolean; known: string }): Promise<Look & { situation: NodeSituation; workloads: WorkloadReady[] }>;
  /**
   * Look: one pass of evictions through the Eviction API. Never touches a pod whose node or UID is another's. `blocking` is what
   * the look before told, for its points in time; pods of `forced` (UIDs) are deleted instead, and only those. Permanent failure
   * `RegisteredAnew`: the instance has another Node meanwhile, without the label.
   */
  lookDrained(input: DrainRequest): Promise<Drained>;
  /** Look: no VolumeAttachment of a pod that was drained is left, or six minutes have passed since `since`. */
  lookDetached(input: NodeRequest & { since: string; known: string }): Promise<Look & { notes: string[] }>;
  /** TerminateInstanceInAutoScalingGroup, once: an instance that is already going is left to go. Permanent failure `RegisteredSince`: it has a Node that was not drained. */
  terminateNode(input: NodeRequest & { decrement: boolean }): Promise<{ instancesBefore: string[]; decremented: boolean }>;
  /** Look: EC2 says terminated (or knows it no more). */
  lookTerminated(input: NodeRequest & { known: string }): Promise<Look & { terminatedAt: string | null }>;
  /** Look: the Node is gone. 60 s after `terminatedAt` a Node with that providerID is deleted, with a UID precondition, never earlier. */
  lookNodeGone(input: NodeRequest & { terminatedAt: string; known: string }): Promise<Look>;
  /** Look: the group's own new instance: Ready, unlabelled, agent ready, taint gone, CiliumNode with free IPs, no aws-node pod, every pod Cilium's. */
  lookReplacement(
    input: NodeRequest & { instancesBefore: string[]; known: string },
  ): Promise<Look & { replacement: { name: string; instanceId: string; zone: string } | null }>;
  /** Look: every workload has its ready count back (or all it wants now). `notes`: which of an unknown kind were not awaited any longer. */
  lookWorkloads(input: NodeRequest & { workloads: WorkloadReady[]; known: string }): Promise<Look & { notes?: string[] }>;
  /** Look: every probe of the spec holds. One that does not for longer than its limit is a firm blocker. */
  lookProbes(input: ProbeRequest): Promise<Look & { notes: string[] }>;
  /** What the node's probes made in the cluster is removed. */
  endProbes(input: NodeRequest & { probes: ProbesSpec }): Promise<void>;
  /** The node is handed back as it was found: uncordoned and label off where they are ours; its ledger entries dropped. Also drops them when the Node is gone. */
  releaseNode(input: NodeRequest): Promise<void>;

  /** Writes a page of results into the cluster, whole; the first page of a run drops those of older runs. */
  fileNodes(input: { target: Target; run: string; page: number; nodes: NodeResult[] }): Promise<void>;
  /** A page that was filed; null where there is none such. */
  readNodePage(input: NodePageRequest): Promise<NodeResult[] | null>;

  // --- chained on aws-node: pods that run already become Cilium's by a restart
  /** Which owner has pods without a CiliumEndpoint, on a node with Cilium's agent, and is none of `left` (`Kind namespace/name`). */
  nextRestart(input: { target: Target; left: string[]; barePods: DrainSpec['barePods'] }): Promise<NextRestart>;
  /**
   * Look: every pod of the owner has a CiliumEndpoint, and it is whole. Restarts its rollout once, while its budgets allow all that it
   * takes away; evicts one pod after the other where it has no such rollout. Gone is done.
   */
  lookRestarted(input: RestartRequest): Promise<Restarted>;

  // --- 7 prove, 9 remove
  /** Look: no labelled node, aws-node desires 0, Cilium where it should be, no unmanaged pod. `proofs` are lines for the report. */
  lookProven(input: { target: Target; known: string }): Promise<Look & { proofs: string[]; unmanaged: number; digest: string }>;
  /** Deletes the add-on, then the DaemonSet, each only after looking again that no node needs it. */
  removeAwsNode(input: { target: Target; /** Strategy clean: nodes still run it. */ clean?: { addOns: string[] } }): Promise<{ removed: string[] }>;
  /** Strategy clean: no new pod comes to a node of aws-node any more. */
  shutOldNodes(input: { target: Target }): Promise<{ shut: number }>;
  /** Look, strategy chain: both agents ready on every node that should have them, no pod without a CiliumEndpoint but these bare ones. */
  lookChained(input: { target: Target; known: string; bare: boolean }): Promise<Look & { proofs: string[] }>;
  // --- the way back (docs/rollback.md)
  /** Reads only: what a rollback would do from where the cluster is, and what is in its way. */
  planRollback(input: { target: Target; manifest: Manifest }): Promise<PlanDigest>;
  /** Labels the nodes that run (or ran) Cilium `ciliate.io/cni=cilium`, one by one; a node with aws-node is never labelled. */
  markCilium(input: { target: Target }): Promise<{ marked: number; already: number }>;
  /** Takes that label off every node, once Cilium's affinity does not need it any more. */
  unmarkCilium(input: { target: Target }): Promise<{ unmarked: number }>;
  /** Look: Cilium's DaemonSets are confined to the marked nodes, and their controller knows it. */
  lookCiliumConfined(input: { target: Target; known: string }): Promise<Look>;
  /**
   * Lets aws-node onto every node but the marked ones: the live one, the add-on's configuration, or both made again from the CNI
   * ledger. Only while Cilium is confined and every node that runs it is marked.
   */
  restoreAwsNode(input: { target: Target }): Promise<{ how: RestoredHow; updateId?: string }>;
  /** Look: add-on ACTIVE (where there is one), aws-node as confined as it must be (`saved`: as it was at first), its rollout over. */
  lookAwsNodeRestored(input: { target: Target; known: string; saved: boolean; updateId?: string }): Promise<Look>;
  /** Look: no marked node, no agent of Cilium, aws-node ready on every node that it wants. */
  lookReturned(input: { target: Target; known: string }): Promise<Look & { proofs: string[] }>;
  /** For a rollback that ends early: where aws-node was not restored yet, Cilium goes to new nodes again, or they would have no CNI. */
  reopenCilium(input: CiliumRequest): Promise<{ why: string }>;

  /** Look: add-on and DaemonSet are gone. */
  lookAwsNodeGone(input: { target: Target; known: string }): Promise<Look>;
}

/** What restoreAwsNode did. */
export type RestoredHow = 'already' | 'patched' | 'addon' | 'addon-created' | 'manifests';

/** What is true of a node right now (prepareNode). */
export interface NodeSituation {
  /**
   * `present`: Node with this UID, instance alive. `node-gone`: instance alive, no such Node (a script's leak): it is
   * still terminated. `instance-gone`: Node still there, instance terminated. `gone`: neither. `hands-off`: same node,
   * but it is not labelled or runs the agent of new nodes.
   */
  state: 'present' | 'node-gone' | 'instance-gone' | 'gone' | 'hands-off';
  why: string;
  /** The instance has another Node than the one that was chosen. */
  anew?: boolean;
}
