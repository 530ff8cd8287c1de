import { datapathOf } from '../cilium/datapaths/index.js';
import { ASG_PROCESSES_CHANGING, ASG_PROCESSES_WHOLE, CNI_LABEL, CNI_LABEL_AWS, CNI_LEDGER, GUARDS_LEDGER, LEASE_NAME } from '../names.js';
import { surgeable } from '../kubernetes/singleton.js';
import type { ObservedCluster } from '../observation.js';
import type { NodeRef, Plan, PlannedStep } from '../plan.js';
import { approvalsOf } from '../spec/words.js';
import type { Manifest } from '../spec/schema.js';
import type { Gate, Strategy } from '../spec/words.js';
import { phasesOf } from '../status.js';
import type { MigrationPhase } from '../status.js';
import { endsOf, leftAloneText } from './nodes.js';

export interface StepsInput {
  cluster: ObservedCluster;
  manifest: Manifest;
  mode: Plan['mode'];
  nodes: readonly NodeRef[];
  /** Not refreshed, but labelled and guarded like the others. */
  leftAlone: readonly NodeRef[];
}

/** The steps in order, with what each writes. A step whose work is done already says so by writing nothing. */
export function stepsOf(input: StepsInput): PlannedStep[] {
  if (input.mode === 'done') return [step(input, 'preflight')];
  return phasesOf(input.manifest.spec).map((phase) => step(input, phase as MigrationPhase));
}

/** What a step writes; those that are not here only look or wait. */
const WRITES: Partial<Record<MigrationPhase, (input: StepsInput) => string[]>> = {
  take: takeWrites,
  guard: guardWrites,
  label: labelWrites,
  restrict: restrictWrites,
  install: installWrites,
  refresh: refreshWrites,
  restart: restartWrites,
  enforce: () => [
    'Helm release kube-system/cilium: upgrade (policy enforcement as in your values, unmanaged-pod watcher on)',
    'DaemonSet kube-system/cilium and Deployment kube-system/cilium-operator: rolled',
  ],
  remove: removeWrites,
  finalise: finaliseWrites,
  'give-back': () => ['every guard of the ledger back as it was', `Lease kube-system/${LEASE_NAME}: released`],
};

const TITLES: Record<MigrationPhase, string> = {
  preflight: 'Observe and check',
  take: 'Take the cluster',
  guard: 'Freeze what fights',
  label: 'Label the nodes of aws-node',
  restrict: 'Confine aws-node to them',
  install: 'Install Cilium',
  refresh: 'Refresh the nodes',
  restart: 'Restart the pods that Cilium does not know',
  prove: 'Prove',
  enforce: 'Final values: enforcement on',
  soak: 'Soak',
  remove: 'Remove aws-node',
  finalise: 'Drop the migration affinity',
  'give-back': 'Give back',
};

/** The gates that open before a step; `after-canary` opens inside the step refresh, after its first node. */
const GATES_OF: Record<Strategy, Partial<Record<MigrationPhase, Gate>>> = {
  replace: { take: 'before-install', refresh: 'after-canary', enforce: 'before-enforcement', remove: 'before-removal' },
  chain: { take: 'before-install', enforce: 'before-enforcement' },
  clean: { take: 'before-install', refresh: 'after-canary', remove: 'before-removal', finalise: 'before-enforcement' },
};

function step(input: StepsInput, id: MigrationPhase): PlannedStep {
  const { manifest, nodes, mode } = input;
  const unreached = whyUnreached(input, id);
  if (unreached !== undefined) return { id, title: TITLES[id], writes: [], unreached };
  const gate = GATES_OF[manifest.spec.strategy][id];
  const asked = gate !== undefined && approvalsOf(manifest.spec).includes(gate) && !(gate === 'after-canary' && nodes.length === 0);
  return { id, title: TITLES[id], ...(asked ? { gate } : {}), writes: mode === 'done' ? [] : (WRITES[id]?.(input) ?? []) };
}

/** The proof counts the nodes of aws-node; where one is left, the run ends there and gives back. */
function whyUnreached({ manifest, leftAlone }: StepsInput, id: MigrationPhase): string | undefined {
  if (leftAlone.length === 0) return undefined;
  const phases = phasesOf(manifest.spec);
  if (id === 'give-back' || phases.indexOf(id) <= phases.indexOf('prove')) return undefined;
  return leftAloneText(leftAlone.length);
}

function takeWrites(): string[] {
  return [
    `Lease kube-system/${LEASE_NAME}: created or taken over`,
    `ConfigMap kube-system/${GUARDS_LEDGER}: created`,
    `ConfigMap kube-system/${CNI_LEDGER}: created (aws-node as it is now)`,
  ];
}

function guardWrites({ cluster, nodes, leftAlone }: StepsInput): string[] {
  const used = new Set([...nodes, ...leftAlone].map((node) => node.group));
  const groups = cluster.groups.map(({ name }) => name).filter((name) => used.has(name)).sort();
  return [
    ...groups.map((group) => `Auto Scaling group ${group}: ${ASG_PROCESSES_WHOLE.join(', ')} suspended until the end`),
    ...groups.map((group) => `Auto Scaling group ${group}: ${ASG_PROCESSES_CHANGING.join(', ')} suspended while nodes are changed`),
    ...cluster.nodePools.map(({ name }) => `NodePool ${name}: disruption budgets at 0 while nodes are changed`),
    ...(cluster.clusterAutoscaler ? [`${nodes.length + leftAlone.length} nodes: annotation against scale-down, while nodes are changed`] : []),
  ];
}

function labelWrites({ cluster, nodes, leftAlone }: StepsInput): string[] {
  const onAwsNode = new Set([...nodes, ...leftAlone].map((node) => node.uid));
  const names = cluster.nodes.filter((node) => onAwsNode.has(node.uid) && node.labels[CNI_LABEL] !== CNI_LABEL_AWS).map((node) => node.name);
  return names.length === 0 ? [] : [`${names.length} nodes: label ${CNI_LABEL}=${CNI_LABEL_AWS}`];
}

function restrictWrites({ cluster }: StepsInput): string[] {
  const { awsNode } = cluster;
  if (awsNode === null || awsNode.restricted) return [];
  const what = `${CNI_LABEL} In [${CNI_LABEL_AWS}] added to every nodeSelectorTerm`;
  return awsNode.managedBy === 'addon'
    ? [`EKS add-on vpc-cni: configurationValues, ${what}; version and role unchanged`]
    : [`DaemonSet kube-system/aws-node: ${what}; updateStrategy OnDelete, so that none of its pods restarts for that`];
}

function installWrites({ cluster, manifest }: StepsInput): string[] {
  const verb = cluster.cilium?.release?.ours === true ? 'upgrade where anything differs' : 'install';
  const where = datapathOf(manifest.spec).besideAwsNode ? 'chained on the VPC CNI, an agent on every node' : 'no agent on a node of aws-node';
  return [`Helm release kube-system/cilium: ${verb}, chart ${manifest.spec.cilium.version} (${where}, enforcement never)`];
}

function restartWrites({ manifest }: StepsInput): string[] {
  const { barePods } = manifest.spec.drain;
  return [
    'Deployments, StatefulSets and DaemonSets with pods that have no CiliumEndpoint: rollout restart, one after the other, within their budgets',
    `other such pods: evicted; bare pods: ${barePods === 'evict' ? 'evicted, gone for good' : 'only reported'}`,
  ];
}

function finaliseWrites({ manifest }: StepsInput): string[] {
  const also = manifest.spec.strategy === 'clean' ? ', policy enforcement as in your values' : '';
  return [`Helm release kube-system/cilium: upgrade (affinity ${CNI_LABEL} dropped${also})`];
}

function refreshWrites({ cluster, manifest, nodes }: StepsInput): string[] {
  const decrement = manifest.spec.refresh.shouldDecrementDesiredCapacity;
  const { network } = manifest.spec.probes;
  const probes = network === undefined || nodes.length === 0 ? [] : [`Namespace ${network.namespace}: Jobs of the network probe, removed after each node`];
  const surged = manifest.spec.drain.surgeSingletons ? cluster.singletons.filter(surgeable) : [];
  return [...endsOf(cluster, nodes, decrement ? ', not replaced' : ''), ...surged.map(({ namespace, name }) => `Deployment ${namespace}/${name}: replicas 2 while its pod moves`), ...probes];
}

function removeWrites({ cluster }: StepsInput): string[] {
  if (cluster.awsNode === null) return [];
  const daemonSet = 'DaemonSet kube-system/aws-node: deleted';
  return cluster.awsNode.managedBy === 'addon' ? ['EKS add-on vpc-cni: deleted', daemonSet] : [daemonSet];
}
