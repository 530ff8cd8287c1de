import { CILIUM_LABEL, CILIUM_LABEL_CILIUM, CNI_LABEL, CNI_LABEL_AWS, CNI_LEDGER, GUARDS_LEDGER, LEASE_NAME } from '../names.js';
import { endsOf, leftAloneText } from '../plan/nodes.js';
import type { NodeRef, PlannedStep } from '../plan.js';
import { approvalsOf } from '../spec/words.js';
import type { Manifest } from '../spec/schema.js';
import type { Gate } from '../spec/words.js';
import type { RollbackPhase } from '../status.js';
import { isOffCiliumNodes } from '../cilium/placement.js';
import type { ObservedRollback } from './observed.js';
import { isOfCilium } from './situation.js';
import type { Situation } from './situation.js';

export interface RollbackStepsInput {
  seen: ObservedRollback;
  manifest: Manifest;
  situation: Situation;
  nodes: readonly NodeRef[];
  leftAlone: readonly NodeRef[];
}

const TITLES: Record<RollbackPhase, string> = {
  preflight: 'Observe and check',
  take: 'Take the cluster',
  unwind: 'Where no node has run Cilium: undo everything',
  guard: 'Freeze what fights',
  quiet: 'Enforcement off, agents rolled',
  mark: 'Mark the nodes of Cilium',
  confine: 'Confine Cilium to them',
  restore: 'aws-node for new nodes',
  refresh: 'Replace the nodes of Cilium',
  prove: 'Prove',
  uninstall: 'Uninstall Cilium, aws-node as it was',
  'give-back': 'Give back',
};

const GATE_OF: Partial<Record<RollbackPhase, Gate>> = { take: 'before-rollback', refresh: 'after-canary' };

/** The steps in order, with what each writes. A step whose work is done already writes nothing. */
export function rollbackSteps(input: RollbackStepsInput): PlannedStep[] {
  const { seen, situation, nodes, leftAlone } = input;
  const step = stepper(input);
  if (situation === 'nothing') return [step('preflight', [])];
  const take = step('take', [`Lease kube-system/${LEASE_NAME}: created or taken over`, `ConfigMap kube-system/${GUARDS_LEDGER}: created`]);
  const giveBack = step('give-back', ['every guard of the ledger back as it was', `Lease kube-system/${LEASE_NAME}: released`]);
  if (situation === 'untouched') return [step('preflight', []), take, step('unwind', ['no pod is touched', ...endWrites(seen)]), giveBack];
  const unmarked = seen.cluster.nodes.filter((node) => isOfCilium(node, seen.chained) && node.labels[CILIUM_LABEL] === undefined).length;
  return [
    step('preflight', []),
    take,
    step('unwind', []),
    step('guard', ['Auto Scaling processes suspended, disruption budgets of Karpenter at 0, annotations against scale-down: as in a migration']),
    step('quiet', seen.phase === 'migration' || seen.phase === 'rollback' ? [] : ['Helm release kube-system/cilium: upgrade (enforcement never)', 'DaemonSet kube-system/cilium and Deployment kube-system/cilium-operator: rolled']),
    step('mark', unmarked === 0 ? [] : [`${unmarked} nodes: label ${CILIUM_LABEL}=${CILIUM_LABEL_CILIUM}`]),
    step('confine', seen.phase === 'rollback' ? [] : [`Helm release kube-system/cilium: upgrade (${CILIUM_LABEL} In [${CILIUM_LABEL_CILIUM}] on agent and Envoy; agents rolled)`]),
    // Chained, aws-node is on every node, and on new ones too.
    ...(seen.chained ? [] : [step('restore', restoreWrites(seen))]),
    step('refresh', endsOf(seen.cluster, nodes)),
    step('prove', []),
    // The proof counts the nodes of Cilium; where one is left, the run ends there and gives back.
    leftAlone.length === 0 ? step('uninstall', endWrites(seen)) : { ...step('uninstall', []), unreached: leftAloneText(leftAlone.length) },
    giveBack,
  ];
}

function stepper({ manifest, nodes }: RollbackStepsInput): (id: RollbackPhase, writes: string[]) => PlannedStep {
  return (id, writes) => {
    const gate = GATE_OF[id];
    const asked = gate !== undefined && approvalsOf(manifest.spec).includes(gate) && !(gate === 'after-canary' && nodes.length === 0);
    return { id, title: TITLES[id], ...(asked ? { gate } : {}), writes };
  };
}

function restoreWrites({ cluster, ledger }: ObservedRollback): string[] {
  const what = `${CILIUM_LABEL} NotIn [${CILIUM_LABEL_CILIUM}] in every nodeSelectorTerm, in place of ${CNI_LABEL}`;
  if (cluster.awsNode !== null) {
    if (isOffCiliumNodes(cluster.awsNode.affinity)) return [];
    return [cluster.awsNode.managedBy === 'addon' ? `EKS add-on vpc-cni: configurationValues, ${what}; version and role unchanged` : `DaemonSet kube-system/aws-node: ${what}`];
  }
  if (ledger?.addon) return [`EKS add-on vpc-cni ${ledger.addon.version}: created with its saved configuration and role, ${what}`];
  return [`ServiceAccount, RBAC, ConfigMap and DaemonSet aws-node: created as saved, ${what}`];
}

function endWrites({ cluster, ledger, chained }: ObservedRollback): string[] {
  const marks = `labels ${CNI_LABEL}=${CNI_LABEL_AWS} that ciliate had put, and ${CILIUM_LABEL}: removed`;
  const uninstalled = cluster.cilium === null ? [] : ['Helm release kube-system/cilium: uninstalled'];
  if (chained) return [...uninstalled, marks, `ConfigMap kube-system/${CNI_LEDGER}: deleted`];
  const owner = (cluster.awsNode === null ? ledger?.addon : cluster.awsNode.addon) ? 'EKS add-on vpc-cni' : 'DaemonSet kube-system/aws-node';
  return [
    ...uninstalled,
    `${owner}: affinity as it was before the migration`,
    marks,
    `ConfigMap kube-system/${CNI_LEDGER}: deleted`,
  ];
}
