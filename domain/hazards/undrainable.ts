import type { Hazard } from '../findings.js';
import { surgeable } from '../kubernetes/singleton.js';
import type { ObservedCluster } from '../observation.js';
import { onNodesThatGo, toRefresh } from '../plan/nodes.js';
import { finding, podNames } from './finding.js';

/** Such a budget never allows an eviction, however long one waits: the drain would hang at it until somebody acts. */
export const pdbUndrainable: Hazard = {
  id: 'pdb-undrainable',
  title: 'A PodDisruptionBudget that never allows an eviction',
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const freed = manifest.spec.drain.surgeSingletons ? freedBySurge(cluster) : new Set<string>();
    const never = cluster.pdbs.filter((pdb) => pdb.expectedPods > 0 && pdb.disruptionsAllowed === 0 && pdb.desiredHealthy >= pdb.expectedPods && !freed.has(nameOf(pdb)));
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

/** Budgets that only ask for the one pod which drain.surgeSingletons makes two of. */
function freedBySurge({ pdbs, singletons }: ObservedCluster): Set<string> {
  const surged = new Set(singletons.filter(surgeable).flatMap(({ namespace, budgets }) => budgets.map((name) => nameOf({ namespace, name }))));
  return new Set(pdbs.filter((pdb) => pdb.rule === 'minAvailable: 1' && surged.has(nameOf(pdb))).map(nameOf));
}

function nameOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

export const pdbExhausted: Hazard = {
  id: 'pdb-exhausted',
  title: 'A PodDisruptionBudget allows no eviction right now',
  check({ cluster }) {
    if (toRefresh(cluster).length === 0) return [];
    const now = cluster.pdbs.filter((pdb) => pdb.expectedPods > 0 && pdb.disruptionsAllowed === 0 && pdb.desiredHealthy < pdb.expectedPods);
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
