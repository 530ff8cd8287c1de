import { datapathOf } from '../cilium/datapaths/index.js';
import { isChanged } from '../cilium/placement.js';
import { counted, finding } from '../hazards/finding.js';
import { findHazards } from '../hazards/index.js';
import type { ChartProblem, Finding } from '../findings.js';
import { AGENT_NOT_READY_TAINT, AWS_NODE, CILIUM_LABEL, CNI_LABEL, CNI_LEDGER } from '../names.js';
import type { Manifest } from '../spec/schema.js';
import type { ObservedRollback } from './observed.js';
import { isOfCilium, mirrored, situationOf } from './situation.js';

export interface RollbackHazardInput {
  seen: ObservedRollback;
  manifest: Manifest;
  chartProblems: readonly ChartProblem[];
}

/** One thing that a rollback looks for beside what draining and replacing nodes always meets. */
interface RollbackHazard {
  id: string;
  title: string;
  check(input: RollbackHazardInput): Finding[];
}

const policyGap: RollbackHazard = {
  id: 'rollback-policy-gap',
  title: 'Policies that Cilium enforces would not be enforced any more',
  check({ seen, manifest }) {
    const { cluster, policyMode, ciliumPolicies } = seen;
    const policies = cluster.networkPolicies.length + ciliumPolicies;
    const enforced = policyMode === 'always' || (policyMode === 'default' && policies > 0);
    if (!enforced) return [];
    const accepted = manifest.spec.cilium.acceptPolicyGap;
    return [
      finding('rollback-policy-gap', accepted ? 'warning' : 'blocker', {
        objects: ['ConfigMap kube-system/cilium-config'],
        message: `Enforcement (${policyMode}, ${cluster.networkPolicies.length} NetworkPolicies, ${ciliumPolicies} of Cilium's own) is switched off before the first node moves, since Cilium knows no identity of pods on aws-node. At the end only what the VPC CNI enforces is enforced, and nothing of Cilium's own kinds.`,
        todo: accepted ? 'Accepted by spec.cilium.acceptPolicyGap.' : 'Protect these workloads otherwise (security groups), or accept it: spec.cilium.acceptPolicyGap: true.',
      }),
    ];
  },
};

const chained: RollbackHazard = {
  id: 'rollback-chained',
  title: 'Cilium is chained on the VPC CNI',
  check({ seen }) {
    if (!seen.chained || situationOf(seen) !== 'half-way') return [];
    const nodes = seen.cluster.nodes.filter((node) => node.leftOut === undefined && isOfCilium(node, true)).length;
    return [
      finding('rollback-chained', 'warning', {
        objects: ['Helm release kube-system/cilium'],
        message: `No node was replaced to get there, but ${counted(nodes, 'node')} must be on the way back, and every pod moves: Cilium's CNI configuration stays on each node that has run it, also where no pod was restarted yet, and calls an agent that would be gone.`,
        todo: 'Nothing, if this is what you want. Nothing has to be undone to keep the chain: ciliate start -f SPEC.',
      }),
    ];
  },
};

const otherStrategy: RollbackHazard = {
  id: 'rollback-other-strategy',
  title: 'The spec names another way of running Cilium than what is there',
  check({ seen, manifest: { spec } }) {
    const wanted = datapathOf(spec).besideAwsNode;
    if (seen.chained === wanted) return [];
    return [
      finding('rollback-other-strategy', 'blocker', {
        objects: ['Helm release kube-system/cilium'],
        message: seen.chained ? `Cilium is chained on the VPC CNI here, and the spec says strategy: ${spec.strategy}.` : 'Cilium runs without the VPC CNI here, and the spec says strategy: chain.',
        todo: `Set spec.strategy: ${seen.chained ? 'chain' : 'replace'}, as when it was installed: the way back first installs its values, and goes by them.`,
      }),
    ];
  },
};

/** What a chain stands on: the way back does not put it there, and new nodes need it at once. */
const awsNodeConfined: RollbackHazard = {
  id: 'rollback-aws-node-confined',
  title: 'Cilium is chained on an aws-node that is not on every node',
  check({ seen: { chained: isChained, cluster } }) {
    if (!isChained || (cluster.awsNode !== null && !isChanged(cluster.awsNode.affinity))) return [];
    return [
      finding('rollback-aws-node-confined', 'blocker', {
        objects: [`DaemonSet kube-system/${AWS_NODE}`],
        message: cluster.awsNode === null ? 'It is gone: new nodes would have no network at all.' : `Its affinity speaks of ${CNI_LABEL} or ${CILIUM_LABEL}: it is kept off nodes that need it, or would be.`,
        todo: 'No step of strategy chain does that. Put it back as it was on every node, then start the rollback again.',
      }),
    ];
  },
};

const nothingSaved: RollbackHazard = {
  id: 'rollback-nothing-saved',
  title: 'aws-node is gone, and nothing of it is saved',
  check({ seen }) {
    const { ledger, cluster } = seen;
    if (seen.chained || cluster.awsNode !== null || ledger?.addon || ledger?.daemonSet === true) return [];
    return [
      finding('rollback-nothing-saved', 'blocker', {
        objects: [`ConfigMap kube-system/${CNI_LEDGER}`],
        message: 'There is nothing to make aws-node again from.',
        todo: `Create aws-node by hand, with ${CILIUM_LABEL} NotIn [cilium] in every required nodeSelectorTerm of its affinity from the first moment on, or it comes to every node of Cilium at once. Then start the rollback again.`,
      }),
    ];
  },
};

const ledgerLost: RollbackHazard = {
  id: 'rollback-ledger-lost',
  title: 'Nothing is saved of aws-node as it was',
  check({ seen }) {
    if (seen.chained || situationOf(seen) === 'nothing' || seen.cluster.awsNode === null || seen.ledger?.daemonSet === true) return [];
    return [
      finding('rollback-ledger-lost', 'warning', {
        objects: [`ConfigMap kube-system/${CNI_LEDGER}`],
        message: 'aws-node will end with the affinity that it has now less what ciliate had put there; labels cni-plugin stay on nodes that nobody remembers having labelled.',
        todo: 'Nothing; afterwards compare its affinity and its updateStrategy with your manifest.',
      }),
    ];
  },
};

const addonAffinity: RollbackHazard = {
  id: 'rollback-addon-affinity',
  title: 'The saved add-on cannot be made again with an affinity',
  check({ seen }) {
    const addon = seen.ledger?.addon;
    if (seen.chained || !addon || seen.cluster.awsNode !== null || addon.takesAffinity === true) return [];
    return [
      finding('rollback-addon-affinity', 'blocker', {
        objects: [`EKS add-on vpc-cni ${addon.version}`],
        message: addon.takesAffinity === false ? 'Its configuration takes no affinity: EKS would put aws-node on every node of Cilium at once.' : 'EKS does not say what its configuration takes: it knows that version no more, or may not be asked.',
        todo: `Name a version that EKS offers and that takes one in key addon.json of ConfigMap kube-system/${CNI_LEDGER}; or delete that key: aws-node then comes back from its saved manifests, as self-managed.`,
      }),
    ];
  },
};

const startupTaint: RollbackHazard = {
  id: 'rollback-startup-taint',
  title: "New nodes get Cilium's startup taint",
  check({ seen: { cluster } }) {
    const has = (taint: { key: string }): boolean => taint.key === AGENT_NOT_READY_TAINT;
    const objects = [
      ...(cluster.eks?.nodegroups ?? []).filter(({ taints }) => taints.some(has)).map(({ name }) => `Node group ${name}`),
      ...cluster.nodePools.filter(({ taints, startupTaints }) => [...taints, ...startupTaints].some(has)).map(({ name }) => `NodePool ${name}`),
    ];
    if (objects.length === 0) return [];
    return [
      finding('rollback-startup-taint', 'blocker', {
        objects,
        message: `Without Cilium nobody takes ${AGENT_NOT_READY_TAINT} off: new nodes would stay empty for ever.`,
        todo: 'Remove it there first: aws eks update-nodegroup-config --taints removeTaints=…; in a NodePool hold its disruption budgets at 0 meanwhile, since a change of the template drifts its nodes.',
      }),
    ];
  },
};

const otherChart: RollbackHazard = {
  id: 'rollback-other-chart',
  title: 'The spec names another version than the installed one',
  check({ seen: { cluster }, manifest }) {
    const release = cluster.cilium?.release;
    const { version } = manifest.spec.cilium;
    if (!release?.ours || release.chartVersion === '' || release.chartVersion.replace(/^v/, '') === version) return [];
    return [
      finding('rollback-other-chart', 'blocker', {
        objects: [`Helm release cilium, chart ${release.chartVersion}`],
        message: `The way back would first change Cilium to ${version} on every node.`,
        todo: `Set spec.cilium.version to ${release.chartVersion.replace(/^v/, '')}, with its chart.`,
      }),
    ];
  },
};

const inMesh: RollbackHazard = {
  id: 'rollback-in-mesh',
  title: 'The cluster is in a mesh',
  check({ seen }) {
    if (!seen.meshed) return [];
    return [
      finding('rollback-in-mesh', 'blocker', {
        objects: ['Helm release cilium'],
        message: 'Other clusters reach services here, or are reached from here, through Cilium: on aws-node nothing of that works.',
        todo: 'Move what needs it, then: ciliate mesh disconnect -f MESH',
      }),
    ];
  },
};

const policiesStay: RollbackHazard = {
  id: 'rollback-cilium-objects',
  title: "Objects of Cilium's own kinds stay",
  check({ seen }) {
    if (seen.cluster.cilium === null) return [];
    return [
      finding('rollback-cilium-objects', 'info', {
        objects: [],
        message: `Helm removes neither Cilium's CustomResourceDefinitions nor their objects (${seen.ciliumPolicies} policies): they stay, without effect.`,
        todo: "Save what you want to keep, then: kubectl get crd -o name | grep '\\.cilium\\.io$' | xargs kubectl delete",
      }),
    ];
  },
};

/** A new one is an entry here and a section in docs/hazards.md. */
export const ROLLBACK_HAZARDS: readonly RollbackHazard[] = [policyGap, chained, otherStrategy, awsNodeConfined, nothingSaved, ledgerLost, addonAffinity, startupTaint, otherChart, inMesh, policiesStay];

/** What a migration looks for that a rollback meets too: rights, Helm, groups, and everything about draining and replacing nodes. */
const SHARED: ReadonlySet<string> = new Set(
  (
    'access-denied aws-action-denied aws-action-unproven worker-inside worker-inside-unknown lease-held helm-missing chart-unavailable values-fight chart-render chart-assertion ' +
    'foreign-cilium no-nodes node-unplaced node-runs-both node-not-ready instance-gone node-cordoned eks-update nodegroup-not-active instance-refresh group-process-suspended ' +
    'group-not-whole scale-in-protection left-out left-alone leave-alone-nothing karpenter-nodes karpenter-dip karpenter-expiry karpenter-unseen auto-mode cluster-autoscaler decrement-min-size ' +
    'pdb-undrainable pdb-uncountable pdb-exhausted two-budgets singleton-down bare-pods empty-dir webhook-single-backend webhook-no-backend probe-fails'
  ).split(' '),
);

/** Every finding, blockers first. */
export function rollbackFindings(input: RollbackHazardInput): Finding[] {
  const { seen, manifest, chartProblems } = input;
  const { strategy } = manifest.spec;
  // Nodes are replaced on every way back, whatever the way forward was.
  const shared = findHazards({ cluster: mirrored(seen), manifest, chartProblems: [...chartProblems] }, strategy === 'chain' ? 'replace' : strategy).filter(({ id }) => SHARED.has(id));
  const own = ROLLBACK_HAZARDS.flatMap((hazard) => hazard.check(input));
  const rank = { blocker: 0, warning: 1, info: 2 };
  return [...own, ...shared].sort((a, b) => rank[a.severity] - rank[b.severity]);
}
