import { canonicalJson } from '../canonical.js';
import { offCiliumNodes } from '../cilium/placement.js';
import { sha256Hex } from '../digest.js';
import type { ChartProblem, Finding } from '../findings.js';
import { orderNodes, candidates, leftAloneOf, markLeftAlone } from '../plan/nodes.js';
import type { NodeRef, Plan, PlannedStep } from '../plan.js';
import type { Affinity } from '../kubernetes/nodeAffinity.js';
import type { HelmValues, Manifest } from '../spec/schema.js';
import { rollbackEstimate } from './estimate.js';
import { rollbackFindings } from './hazards.js';
import type { ObservedRollback } from './observed.js';
import { mirrored, situationOf } from './situation.js';
import type { Situation } from './situation.js';
import { rollbackSteps } from './steps.js';

/** What a rollback would do from where the cluster is: the dry run, and what `before-rollback` approves. */
export interface RollbackPlan {
  migration: string;
  toward: 'aws-node';
  situation: Situation;
  findings: Finding[];
  blocked: boolean;
  steps: PlannedStep[];
  /** Nodes to replace, in order. */
  nodes: NodeRef[];
  leftOut: { name: string; why: string }[];
  /** Nodes that `refresh.leaveAlone` keeps as they are: the run ends partial, and Cilium stays for them. */
  leftAlone: NodeRef[];
  chart: Plan['chart'];
  /** Values under which Cilium stays where it is. */
  values: { rollback: HelmValues };
  estimate: Plan['estimate'];
  /** What the gate before-rollback decides on (sha256, hex): situation, chart, values, and how aws-node comes back. */
  digest: string;
}

export interface RollbackInput {
  manifest: Manifest;
  chart: Plan['chart'];
  values: HelmValues;
  chartProblems?: ChartProblem[];
}

/** Pure: the same cluster and input give the same plan. */
export function planRollback(found: ObservedRollback, { manifest, chart, values, chartProblems = [] }: RollbackInput): RollbackPlan {
  const seen = { ...found, cluster: markLeftAlone(found.cluster, manifest.spec.refresh.leaveAlone) };
  const situation = situationOf(seen);
  const over = situation === 'nothing';
  const findings = rollbackFindings({ seen, manifest, chartProblems }).filter(({ severity }) => !over || severity !== 'blocker');
  const cluster = mirrored(seen);
  const leftAlone = over ? [] : leftAloneOf(cluster);
  const nodes = over ? [] : orderNodes(candidates(cluster));
  return {
    migration: manifest.metadata.name,
    toward: 'aws-node',
    situation,
    findings,
    blocked: findings.some(({ severity }) => severity === 'blocker'),
    steps: rollbackSteps({ seen, manifest, situation, nodes, leftAlone }),
    nodes,
    leftOut: cluster.nodes.flatMap(({ name, leftOut }) => (leftOut === undefined ? [] : [{ name, why: leftOut }])).sort((a, b) => (a.name < b.name ? -1 : 1)),
    leftAlone,
    chart,
    values: { rollback: values },
    estimate: rollbackEstimate(nodes, manifest.spec.refresh),
    digest: sha256Hex(canonicalJson({ gate: 'before-rollback', decides: { situation, chartSha256: chart.sha256, values, awsNode: seen.chained ? 'stays' : awsNodeToBe(seen) } })),
  };
}

/** How aws-node will be let onto new nodes; the same again once it is. */
function awsNodeToBe({ cluster, ledger }: ObservedRollback): { addon: string | null; affinity: Affinity } {
  const addon = cluster.awsNode === null ? (ledger?.addon?.version ?? null) : (cluster.awsNode.addon?.version ?? null);
  return { addon, affinity: offCiliumNodes(cluster.awsNode === null ? ledger?.affinity : cluster.awsNode.affinity) };
}
