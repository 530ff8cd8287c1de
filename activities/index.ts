import { activityInfo } from '@temporalio/activity';
import type { Activities, Target } from './api.js';
import { directionOf } from '../domain/directions/index.js';
import { ensureCilium } from './cilium/ensureCilium.js';
import { lookCilium } from './cilium/lookCilium.js';
import { reopenCilium } from './cilium/reopenCilium.js';
import { unwindInstall } from './cilium/unwindInstall.js';
import { terminateNode } from './drivers/terminateNode.js';
import type { ClientPool, Clients, TemporalGateway } from './clients/index.js';
import { readManifest } from './clients/manifest.js';
import { lookAwsNodeRestricted, restrictAwsNode } from './kubernetes/awsNode.js';
import { lookCiliumConfined } from './kubernetes/confinedCilium.js';
import { saveCni } from './kubernetes/cniLedger.js';
import { releaseNode } from './kubernetes/cordonNode.js';
import { giveBackGuards, holdGuards } from './kubernetes/guards.js';
import { labelNodes } from './kubernetes/labelNodes.js';
import { assertHolder, deleteLease, renewLease, takeLease } from './kubernetes/lease.js';
import { lookDrained } from './kubernetes/lookDrained.js';
import { lookNodeGone, lookTerminated } from './kubernetes/lookGone.js';
import { lookReturned } from './kubernetes/lookReturned.js';
import { markCilium, unmarkCilium } from './kubernetes/markCilium.js';
import { lookAwsNodeRestored, restoreAwsNode } from './kubernetes/restoreAwsNode.js';
import { createPlanRollback } from './observe/rollback.js';
import { lookDetached } from './kubernetes/volumes.js';
import { lookProven } from './kubernetes/lookProven.js';
import { lookReplacement } from './kubernetes/lookReplacement.js';
import { fileNodes, readNodePage } from './kubernetes/nodePages.js';
import { evenZones } from './aws/evenZones.js';
import { admitNodes, resizeGroups } from './kubernetes/admitNodes.js';
import { admitSurplus } from './kubernetes/admitSurplus.js';
import { countNodes } from './kubernetes/standing.js';
import { prepareNode } from './kubernetes/prepareNode.js';
import { lookAwsNodeGone, removeAwsNode } from './kubernetes/removeAwsNode.js';
import { lookRestarted } from './kubernetes/restart/lookRestarted.js';
import { lookChained } from './kubernetes/lookChained.js';
import { shutOldNodes } from './kubernetes/noCniTaint.js';
import { nextRestart } from './kubernetes/restart/nextRestart.js';
import { lookWorkloads } from './kubernetes/workloads.js';
import { createPreflight } from './observe/index.js';
import { endProbes, lookProbes } from './probes/index.js';

export interface ActivityDeps {
  pool: ClientPool;
  temporal: TemporalGateway;
  /** Folder for charts that are fetched. */
  cacheDir: string;
}

/** Every activity, on the clients of the cluster that its input names. */
export function createActivities(deps: ActivityDeps): Activities {
  const { pool, temporal, cacheDir } = deps;
  const read = (target: Target): Promise<Clients> => pool.for(target.cluster);
  /** For everything that writes: a run that lost the Lease must not. */
  const write = async (target: Target): Promise<Clients> => {
    const clients = await pool.for(target.cluster);
    await assertHolder(clients, target);
    return clients;
  };
  return {
    async temporalFacts() {
      const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
      const [cluster, searchAttributes] = await Promise.all([temporal.temporalClusterId(), temporal.searchAttributes()]);
      return { holder: `${cluster}/${temporal.namespace}/${workflowId}`, searchAttributes };
    },
    readManifest: (input) => Promise.resolve().then(() => readManifest(input)),
    preflight: createPreflight({ pool, chartCache: cacheDir }),

    takeLease: async ({ target }) => takeLease(await read(target), target, temporal),
    renewLease: async ({ target }) => renewLease(await read(target), target),
    releaseLease: async ({ target }) => void (await deleteLease(await read(target), target.holder)),
    saveCni: async ({ target, ...facts }) => saveCni(await write(target), facts),
    holdGuards: async ({ target, set }) => holdGuards(await write(target), set, directionOf(target)),
    giveBackGuards: async ({ target, set }) => giveBackGuards(await write(target), set),

    labelNodes: async ({ target }) => labelNodes(await write(target)),
    restrictAwsNode: async ({ target }) => restrictAwsNode(await write(target)),
    lookAwsNodeRestricted: async ({ target, known, updateId }) => lookAwsNodeRestricted(await write(target), known, updateId),

    ensureCilium: async (request) => ensureCilium(await write(request.target), request, cacheDir),
    lookCilium: async (request) => lookCilium(await read(request.target), request),
    unwindInstall: async ({ target }) => unwindInstall(await write(target)),

    countNodes: async ({ target }) => countNodes(await read(target), directionOf(target)),
    admitNodes: async (request) => admitNodes(await write(request.target), request),
    resizeGroups: async (request) => resizeGroups(await write(request.target), request),
    admitSurplus: async (request) => admitSurplus(await write(request.target), request),
    evenZones: async (request) => evenZones(await write(request.target), request),
    prepareNode: async (request) => prepareNode(await write(request.target), request),
    lookDrained: async (request) => lookDrained(await write(request.target), request),
    lookDetached: async (request) => lookDetached(await read(request.target), request),
    terminateNode: async (request) => terminateNode(await write(request.target), request),
    lookTerminated: async ({ target, node, known }) => lookTerminated(await read(target), node, known),
    lookNodeGone: async ({ target, node, terminatedAt, known }) => lookNodeGone(await write(target), node, { terminatedAt, known, direction: directionOf(target) }),
    lookReplacement: async (request) => lookReplacement(await read(request.target), request),
    lookWorkloads: async ({ target, workloads, known }) => lookWorkloads(await read(target), workloads, known),
    lookProbes: async (request) => lookProbes(await write(request.target), request),
    endProbes: async (request) => endProbes(await write(request.target), request),
    releaseNode: async ({ target, node }) => releaseNode(await write(target), node),

    fileNodes: async ({ target, ...page }) => fileNodes(await write(target), page),
    readNodePage: async (request) => readNodePage(await pool.for(request.cluster), request),

    nextRestart: async ({ target, ...input }) => nextRestart(await read(target), input),
    lookRestarted: async ({ target, ...request }) => lookRestarted(await write(target), request),

    lookProven: async ({ target, known }) => lookProven(await read(target), known),
    removeAwsNode: async ({ target, clean }) => removeAwsNode(await write(target), clean),
    shutOldNodes: async ({ target }) => shutOldNodes(await write(target)),
    lookChained: async ({ target, known, bare }) => lookChained(await read(target), { known, bare }),
    lookAwsNodeGone: async ({ target, known }) => lookAwsNodeGone(await read(target), known),

    planRollback: createPlanRollback({ pool, chartCache: cacheDir }),
    markCilium: async ({ target }) => markCilium(await write(target), directionOf(target)),
    unmarkCilium: async ({ target }) => unmarkCilium(await write(target)),
    lookCiliumConfined: async ({ target, known }) => lookCiliumConfined(await read(target), known),
    restoreAwsNode: async ({ target }) => restoreAwsNode(await write(target)),
    lookAwsNodeRestored: async ({ target, ...input }) => lookAwsNodeRestored(await write(target), input),
    lookReturned: async ({ target, known }) => lookReturned(await read(target), known),
    reopenCilium: async (request) => reopenCilium(await write(request.target), request, cacheDir),
  };
}
