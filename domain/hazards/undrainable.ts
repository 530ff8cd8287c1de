import type { Hazard } from '../findings.js';
import { whyUncountable } from '../kubernetes/budget.js';
import { surgeable } from '../kubernetes/singleton.js';
import type { ObservedBudget, ObservedCluster } from '../observation.js';
import { onNodesThatGo, toRefresh } from '../plan/nodes.js';
import { finding, podNames } from './finding.js';

/** Such a budget never allows an eviction, however long one waits: the drain would hang at it until somebody acts. */
export const pdbUndrainable: Hazard = {
  id: 'pdb-undrainable',
  title: 'A PodDisruptionBudget that never allows an eviction',
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const freed = manifest.spec.drain.surgeSingletons ? freedBySurge(cluster) : new Set<string>();
    const never = cluster.pdbs.filter((pdb) => needsAll(pdb) && pdb.disruptionsAllowed === 0 && !freed.has(nameOf(pdb)));
    if (never.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: never.map((pdb) => `PodDisruptionBudget ${pdb.namespace}/${pdb.name} (${pdb.rule === undefined ? '' : `${pdb.rule}, `}needs ${pdb.desiredHealthy} of ${pdb.expectedPods})`),
        message: 'Draining a node with one of its pods will wait until a person frees it, or until spec.drain.timeLimitSeconds; no budget is bypassed but for pods that a person names (onTimeout: force).',
        todo: 'Add a replica or lower minAvailable, now or while the drain waits; or skip the node (ciliate skip CLUSTER NODE --reason TEXT).',
      }),
    ];
  },
};

/** It wants as many healthy pods as there are, or more. */
function needsAll(pdb: ObservedBudget): boolean {
  return whyUncountable(pdb) === undefined && pdb.expectedPods > 0 && pdb.desiredHealthy >= pdb.expectedPods;
}

/** Whether a budget never allows an eviction, as it is now. */
export function neverAllows(pdb: ObservedBudget): boolean {
  return needsAll(pdb) || whyUncountable(pdb) !== undefined;
}

/** Budgets that only ask for the one pod which drain.surgeSingletons makes two of: one in number, or at most the half. */
function freedBySurge({ pdbs, singletons }: ObservedCluster): Set<string> {
  const surged = new Set(singletons.filter(surgeable).flatMap(({ namespace, budgets }) => budgets.map((name) => nameOf({ namespace, name }))));
  return new Set(pdbs.filter(({ rule = '', ...pdb }) => /^minAvailable: (1|[1-4]?[0-9]%|50%)$/.test(rule) && surged.has(nameOf(pdb))).map(nameOf));
}

function nameOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** Neither waiting nor more replicas help: nobody knows how many pods there should be. */
export const pdbUncountable: Hazard = {
  id: 'pdb-uncountable',
  title: 'A PodDisruptionBudget whose pods cannot be counted',
  check({ cluster }) {
    if (toRefresh(cluster).length === 0) return [];
    const objects = cluster.pdbs.flatMap((pdb) => {
      const why = whyUncountable(pdb);
      return why === undefined ? [] : [`PodDisruptionBudget ${nameOf(pdb)} (${pdb.rule === undefined ? '' : `${pdb.rule}; `}${why})`];
    });
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects,
        message: 'A percentage or maxUnavailable asks the controllers of the pods how many there should be, and these do not say. No eviction is ever allowed: a drain waits there until a person frees it, or until spec.drain.timeLimitSeconds.',
        todo: 'Give it a minAvailable that is a whole number, or let it select only pods whose controllers can be scaled (Deployment, StatefulSet, a resource with the subresource scale); now or while the drain waits.',
      }),
    ];
  },
};

export const pdbExhausted: Hazard = {
  id: 'pdb-exhausted',
  title: 'A PodDisruptionBudget allows no eviction right now',
  check({ cluster }) {
    if (toRefresh(cluster).length === 0) return [];
    const now = cluster.pdbs.filter((pdb) => !neverAllows(pdb) && pdb.expectedPods > 0 && pdb.disruptionsAllowed === 0);
    if (now.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: now.map((pdb) => `PodDisruptionBudget ${pdb.namespace}/${pdb.name} (${pdb.currentHealthy} healthy, needs ${pdb.desiredHealthy} of ${pdb.expectedPods})`),
        message: 'Pods of its workload are down already. A drain will wait there until they are back.',
        todo: 'Mend the workload first: its pods are not healthy, migration or not.',
      }),
    ];
  },
};

export const barePods: Hazard = {
  id: 'bare-pods',
  title: 'Pods without a controller',
  check({ cluster, manifest }) {
    const pods = onNodesThatGo(cluster, cluster.pods.bare);
    if (pods.length === 0) return [];
    const evicts = manifest.spec.drain.barePods === 'evict';
    return [
      finding(this.id, 'warning', {
        objects: podNames(pods),
        message: evicts
          ? 'Nobody starts them again: evicted, they are gone for good (spec.drain.barePods is evict).'
          : 'Nobody starts them again, so the drain waits at each of them (spec.drain.barePods is block).',
        todo: evicts
          ? 'Delete or re-create them under a controller first if they matter.'
          : 'Give them a controller, delete them, or allow it while the drain waits: ciliate set CLUSTER drain.barePods=evict',
      }),
    ];
  },
};

export const emptyDir: Hazard = {
  id: 'empty-dir',
  title: 'Pods with emptyDir volumes',
  check({ cluster, manifest }) {
    const pods = onNodesThatGo(cluster, cluster.pods.emptyDir);
    if (pods.length === 0) return [];
    const evicts = manifest.spec.drain.emptyDir === 'evict';
    return [
      finding(this.id, evicts ? 'info' : 'warning', {
        objects: podNames(pods),
        message: evicts
          ? 'The content of these volumes is lost with the eviction, as with any drain (spec.drain.emptyDir is evict).'
          : 'The drain waits at each of them (spec.drain.emptyDir is block).',
        todo: evicts ? 'Set spec.drain.emptyDir: block if any of it must be kept.' : 'Save what they hold and delete them, or allow it: spec.drain.emptyDir: evict, or later ciliate set CLUSTER drain.emptyDir=evict',
      }),
    ];
  },
};
