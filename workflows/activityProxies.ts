import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/api.js';

/**
 * One family of timeouts a kind of activity. None has maximumAttempts: an outage must not fail a migration. The worker's
 * interceptor heartbeats for every activity, so a killed worker is noticed after its heartbeat time-out, whatever the step.
 */
const common = {
  heartbeatTimeout: '10s',
  // A cancelled step has ended before the clean-up begins: an eviction still under way would undo it.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const;

/** Reads and single writes: seconds. Retried for ever, at most every 15 s. */
export const BRIEF = {
  startToCloseTimeout: '2m',
  ...common,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
} as const;
const brief = proxyActivities<Activities>(BRIEF);

/** Loops over many objects, or runs helm. */
export const LONG = {
  startToCloseTimeout: '15m',
  ...common,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const;
const long = proxyActivities<Activities>(LONG);

/**
 * Looks (activities/api.ts): the retry does the waiting. The interval grows with the time waited, to a tenth of it, so that
 * waiting costs at most a tenth of what is awaited; 5 s is the cap, for the API server's sake.
 */
export const LOOKING = {
  startToCloseTimeout: '2m',
  ...common,
  retry: { initialInterval: '200ms', backoffCoefficient: 1.1, maximumInterval: '5s' },
} as const;
const look = proxyActivities<Activities>(LOOKING);

/** A look that nobody waits out: when a node ends meanwhile it is asked anew, and the old one may end when it learns of that. */
const swift = proxyActivities<Activities>({ ...LOOKING, cancellationType: ActivityCancellationType.TRY_CANCEL });

export const acts: Activities = {
  temporalFacts: brief.temporalFacts,
  readManifest: brief.readManifest,
  preflight: long.preflight,
  takeLease: brief.takeLease,
  renewLease: brief.renewLease,
  releaseLease: brief.releaseLease,
  saveCni: brief.saveCni,
  holdGuards: long.holdGuards,
  giveBackGuards: long.giveBackGuards,
  labelNodes: long.labelNodes,
  restrictAwsNode: brief.restrictAwsNode,
  lookAwsNodeRestricted: look.lookAwsNodeRestricted,
  ensureCilium: long.ensureCilium,
  lookCilium: look.lookCilium,
  unwindInstall: long.unwindInstall,
  countNodes: brief.countNodes,
  admitNodes: swift.admitNodes,
  resizeGroups: brief.resizeGroups,
  // It also writes: what comes after it must not meet it.
  admitSurplus: look.admitSurplus,
  evenZones: brief.evenZones,
  prepareNode: look.prepareNode,
  lookDrained: look.lookDrained,
  lookDetached: look.lookDetached,
  terminateNode: brief.terminateNode,
  lookTerminated: look.lookTerminated,
  lookNodeGone: look.lookNodeGone,
  lookReplacement: look.lookReplacement,
  lookWorkloads: look.lookWorkloads,
  lookProbes: look.lookProbes,
  endProbes: brief.endProbes,
  releaseNode: brief.releaseNode,
  fileNodes: brief.fileNodes,
  readNodePage: brief.readNodePage,
  nextRestart: look.nextRestart,
  lookRestarted: look.lookRestarted,
  lookProven: look.lookProven,
  removeAwsNode: brief.removeAwsNode,
  shutOldNodes: long.shutOldNodes,
  lookChained: look.lookChained,
  lookAwsNodeGone: look.lookAwsNodeGone,
  planRollback: long.planRollback,
  markCilium: long.markCilium,
  unmarkCilium: long.unmarkCilium,
  lookCiliumConfined: look.lookCiliumConfined,
  restoreAwsNode: brief.restoreAwsNode,
  lookAwsNodeRestored: look.lookAwsNodeRestored,
  lookReturned: look.lookReturned,
  reopenCilium: long.reopenCilium,
};
