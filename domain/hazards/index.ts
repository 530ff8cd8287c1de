import type { Finding, Hazard, HazardInput, Severity } from '../findings.js';
import type { Strategy } from '../spec/words.js';
import { accessDenied } from './access-denied.js';
import { addonSchemaUnknown, addonWithoutAffinity } from './addon-affinity.js';
import { clusterAutoscaler } from './autoscaler.js';
import { awsActionDenied, awsActionUnproven } from './aws-actions.js';
import { awsNodeMissing } from './aws-node-missing.js';
import { chartAssertion, chartRender, chartUnavailable, valuesFight } from './chart.js';
import { chainLimits } from './chain-limits.js';
import { clusterIdAbsent } from './cluster-id.js';
import { customNetworking } from './custom-networking.js';
import { decrementCapacity, decrementMinSize } from './decrement.js';
import { addonDegraded, eksUpdate } from './eks-update.js';
import { eksUnknown } from './eks-unknown.js';
import { eksOwner, gitopsOwner } from './field-owners.js';
import { foreignCilium } from './foreign-cilium.js';
import { foreignLabel } from './foreign-label.js';
import { groupNotWhole, instanceRefresh, processSuspended, scaleInProtection } from './group-busy.js';
import { helmMissing } from './helm-missing.js';
import { hostPort } from './host-port.js';
import { ipv6 } from './ipv6.js';
import { karpenterDip, karpenterExpiry, karpenterNodes, karpenterUnseen } from './karpenter.js';
import { labelReturns } from './label-returns.js';
import { leaseHeld } from './lease-held.js';
import { leaveAloneNothing, leftAlone } from './left-alone.js';
import { autoMode, leftOut } from './left-out.js';
import { leftoverEnis } from './leftover-enis.js';
import { masqueradePublicSubnet, masqueradeUndecided } from './masquerade.js';
import { instanceTypeUnknown, maxPods } from './max-pods.js';
import { networkPolicyGap, networkPolicyLatent, networkPolicyMeaning } from './network-policy.js';
import { instanceGone, noNodes, nodeCordoned, nodeNotReady, nodePending } from './node-health.js';
import { nodeRunsBoth } from './node-runs-both.js';
import { nodeUnplaced } from './node-unplaced.js';
import { nodegroupNotActive } from './nodegroup-not-active.js';
import { operatorPlace } from './operator-place.js';
import { operatorRightsMissing, operatorRightsUnproven } from './operator-rights.js';
import { managedInterfaces, mixedImages } from './os-images.js';
import { otherDatapath } from './other-datapath.js';
import { otherNetworkAgent } from './other-network-agent.js';
import { probeFails } from './probe-fails.js';
import { podEniEnabled, securityGroupsForPods } from './security-groups-for-pods.js';
import { singletonDown } from './singleton.js';
import { slowRoll } from './slow-roll.js';
import { startupTaint, startupTaintForGood } from './startup-taint.js';
import { subnetAddresses } from './subnet-addresses.js';
import { twoBudgets } from './two-budgets.js';
import { barePods, emptyDir, pdbExhausted, pdbUncountable, pdbUndrainable } from './undrainable.js';
import { userWorkloads } from './user-workloads.js';
import { vpcCniTooOld } from './vpc-cni-version.js';
import { webhookDown, webhookSingle } from './webhooks.js';
import { workerInside, workerInsideUnknown } from './worker-inside.js';

/**
 * Every hazard that preflight looks for. A new one is a new file, a line here and a section in docs/hazards.md (a unit test
 * compares the two).
 */
export const HAZARDS: readonly Hazard[] = [
  // What the worker may do
  accessDenied,
  awsActionDenied,
  awsActionUnproven,
  workerInside,
  workerInsideUnknown,
  leaseHeld,
  // Helm and the chart
  helmMissing,
  chartUnavailable,
  valuesFight,
  chartRender,
  chartAssertion,
  clusterIdAbsent,
  slowRoll,
  // aws-node, Cilium and others
  awsNodeMissing,
  eksUnknown,
  addonWithoutAffinity,
  addonSchemaUnknown,
  addonDegraded,
  gitopsOwner,
  eksOwner,
  foreignCilium,
  otherDatapath,
  vpcCniTooOld,
  chainLimits,
  userWorkloads,
  otherNetworkAgent,
  // Nodes and groups
  noNodes,
  nodeUnplaced,
  foreignLabel,
  nodeRunsBoth,
  nodePending,
  nodeNotReady,
  instanceGone,
  nodeCordoned,
  labelReturns,
  startupTaint,
  startupTaintForGood,
  eksUpdate,
  nodegroupNotActive,
  instanceRefresh,
  processSuspended,
  groupNotWhole,
  scaleInProtection,
  leftOut,
  leftAlone,
  leaveAloneNothing,
  karpenterNodes,
  karpenterDip,
  karpenterExpiry,
  karpenterUnseen,
  autoMode,
  clusterAutoscaler,
  decrementMinSize,
  decrementCapacity,
  operatorPlace,
  // Network
  operatorRightsMissing,
  operatorRightsUnproven,
  ipv6,
  masqueradeUndecided,
  masqueradePublicSubnet,
  mixedImages,
  managedInterfaces,
  networkPolicyGap,
  networkPolicyLatent,
  networkPolicyMeaning,
  securityGroupsForPods,
  podEniEnabled,
  customNetworking,
  hostPort,
  maxPods,
  instanceTypeUnknown,
  subnetAddresses,
  leftoverEnis,
  // Workloads
  pdbUndrainable,
  pdbUncountable,
  pdbExhausted,
  twoBudgets,
  singletonDown,
  barePods,
  emptyDir,
  webhookSingle,
  webhookDown,
  probeFails,
];

const RANK: Record<Severity, number> = { blocker: 0, warning: 1, info: 2 };

/** Every finding that matters to a strategy (the spec's where none is named), blockers first, otherwise in the order of {@link HAZARDS}. */
export function findHazards(input: HazardInput, strategy: Strategy = input.manifest.spec.strategy): Finding[] {
  const concerned = HAZARDS.filter(({ strategies }) => strategies === undefined || strategies.includes(strategy));
  return concerned.flatMap((hazard) => hazard.check(input)).sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}
