/** Every name that ciliate writes into a cluster or into AWS. A name is public API from the first release on. */

/** The article's label: aws-node is confined to the nodes that carry it, Cilium to those that do not. */
export const CNI_LABEL = 'cni-plugin';
export const CNI_LABEL_AWS = 'aws';

/** The label of the way back: Cilium is confined to the nodes that carry it, aws-node to those that do not. */
export const CILIUM_LABEL = 'ciliate.io/cni';
export const CILIUM_LABEL_CILIUM = 'cilium';

export const KUBE_SYSTEM = 'kube-system';
export const AWS_NODE = 'aws-node';
export const CILIUM = 'cilium';
export const CILIUM_OPERATOR = 'cilium-operator';
export const CILIUM_ENVOY = 'cilium-envoy';
export const CILIUM_RELEASE = 'cilium';
/** ConfigMap that agents and operator run with. */
export const CILIUM_CONFIG = 'cilium-config';
export const VPC_CNI_ADDON = 'vpc-cni';

/** Events on Nodes stand there, as the kubelet's do. */
export const EVENT_NAMESPACE = 'default';

/** The Lease that says which run holds the cluster. */
export const LEASE_NAME = 'ciliate';
/** ConfigMap: what is given back at the end, on abort, on failure and by `release`. */
export const GUARDS_LEDGER = 'ciliate-guards';
/** Label on the ConfigMaps `ciliate-guards-<nn>`: the part of the guards ledger that grows with the nodes. */
export const GUARDS_LEDGER_LABEL = 'ciliate.io/guards-of';
/** Label of the Jobs of the network probe and their pods: UID of the node that was refreshed. */
export const PROBE_LABEL = 'ciliate.io/probe';
/** Beside the guards, under keys of its own: `termination.i-…`, and `termination.claim.i-…` for replacements. */
export const TERMINATION_PREFIX = 'termination.';
/** ConfigMaps `ciliate-nodes-<run>-<page>`: how nodes ended, of runs with hundreds of them. Kept until the next run files its first. */
export const NODE_PAGES = 'ciliate-nodes';
/** Label on them: which run's. */
export const NODE_PAGES_LABEL = 'ciliate.io/nodes-of';
/** ConfigMap: what only a rollback undoes; kept after success. */
export const CNI_LEDGER = 'ciliate-cni';
/** Secret: the CA that gave way to that of a mesh; put back when it is left. */
export const MESH_CA = 'ciliate-mesh-ca';
/** Carried by every object that ciliate creates. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'ciliate';
/** Field manager of every write, so that `kubectl get --show-managed-fields` names us. */
export const FIELD_MANAGER = 'ciliate';

/** Cilium's startup taint; the operator removes it once the agent on the node is ready. */
export const AGENT_NOT_READY_TAINT = 'node.cilium.io/agent-not-ready';
/** PreferNoSchedule on every node that is still to be refreshed. */
export const SOFT_TAINT = 'ciliate.io/to-be-refreshed';
/** NoSchedule on nodes whose CNI was taken away (strategy clean). */
export const NO_CNI_TAINT = 'ciliate.io/no-cni';
/** Well-known label: load balancers of type LoadBalancer stop sending to the node. */
export const EXCLUDE_FROM_LB_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
/** cluster-autoscaler: a node with this annotation "true" is not scaled down; scale-up stays on. */
export const SCALE_DOWN_DISABLED_ANNOTATION = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';

/** On a pod template: when it was last restarted, as `kubectl rollout restart` writes it. */
export const RESTARTED_AT_ANNOTATION = 'kubectl.kubernetes.io/restartedAt';
/** On a pod template: the first run id of the migration that restarted it. A run restarts a workload once. */
export const RESTARTED_BY_ANNOTATION = 'ciliate.io/restarted-by';

/** Suspended from the start to the end: it terminates nodes by itself to even out zones. */
export const AZ_REBALANCE = 'AZRebalance';
export const ASG_PROCESSES_WHOLE = [AZ_REBALANCE] as const;
/** Suspended only while nodes are being changed: given back at every gate, pause and soak. */
export const ASG_PROCESSES_CHANGING = ['AlarmNotification', 'ScheduledActions'] as const;

/** Temporal names: workflow types, task queue, workflow ids, search attributes. */
export const TASK_QUEUE = 'ciliate';
export const MIGRATE_CLUSTER = 'migrateCluster';
export const ROLLBACK_CLUSTER = 'rollbackCluster';
export const REFRESH_NODE = 'refreshNode';
export const READ_NODE_PAGE = 'readNodePage';
export const RUN_FLEET = 'runFleet';
export const CONNECT_MESH = 'connectMesh';
export const CROSS_CLUSTER_POLICY = 'crossClusterPolicy';

/** Workflow id of the migration of one cluster. It is the lock: one open run an id in a namespace. */
export function migrationWorkflowId(migration: string): string {
  return `cilium-migration/${migration}`;
}

/** A run in the names of its pages: the random end of a UUID, whose beginning may be a time. */
export function shortRun(runId: string): string {
  return runId.slice(-8);
}

/** Workflow id of a fleet: one open run a name. */
export function fleetWorkflowId(fleet: string): string {
  return `cilium-fleet/${fleet}`;
}

/** Workflow id of one node's refresh: by instance id, since EC2 reuses addresses and so Node names. */
export function nodeWorkflowId(migration: string, instanceId: string): string {
  return `${migrationWorkflowId(migration)}/node/${instanceId}`;
}

/** Workflow id of a mesh: connecting and disconnecting exclude each other. */
export function meshWorkflowId(mesh: string): string {
  return `cilium-mesh/${mesh}`;
}

/** Workflow id of one policy over its clusters. */
export function policyWorkflowId(policy: string): string {
  return `cilium-policy/${policy}`;
}

/** Memo of a migration's workflow: how it stood some seconds ago (domain/snapshot.ts). Temporal tells it without a worker. */
export const SNAPSHOT_MEMO = 'ciliateStatus';

export const SEARCH_ATTRIBUTES = {
  CiliateFleet: 'KEYWORD',
  CiliateCluster: 'KEYWORD',
  CiliatePhase: 'KEYWORD',
  CiliateState: 'KEYWORD',
  CiliateNeedsApproval: 'BOOL',
  CiliateBlocked: 'BOOL',
  CiliateNodesDone: 'INT',
  CiliateNodesTotal: 'INT',
} as const;
