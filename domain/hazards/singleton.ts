import type { Hazard } from '../findings.js';
import { surgeable } from '../kubernetes/singleton.js';
import { toRefresh } from '../plan/nodes.js';
import { finding } from './finding.js';
import { neverAllows } from './undrainable.js';

/** Not those whose drain waits: their budget never lets them go (undrainable.ts), or a webhook needs them (webhooks.ts). */
export const singletonDown: Hazard = {
  id: 'singleton-down',
  title: 'A workload with a single replica goes down while its pod moves',
  check({ cluster, manifest }) {
    if (toRefresh(cluster).length === 0) return [];
    const surges = manifest.spec.drain.surgeSingletons;
    const never = new Set(cluster.pdbs.filter(neverAllows).map((pdb) => `${pdb.namespace}/${pdb.name}`));
    const backends = new Set(cluster.failClosedWebhooks.flatMap(({ last }) => (last?.deployment === undefined ? [] : [`${last.namespace}/${last.deployment}`])));
    const isBackend = ({ kind, namespace, name }: (typeof cluster.singletons)[number]): boolean => kind === 'Deployment' && backends.has(`${namespace}/${name}`);
    const down = cluster.singletons.filter((each) => !(surges && surgeable(each)) && !isBackend(each) && !each.budgets.some((budget) => never.has(`${each.namespace}/${budget}`)));
    if (down.length === 0) return [];
    return [
      finding(this.id, surges ? 'warning' : 'info', {
        objects: down.map((each) => `${each.kind} ${each.namespace}/${each.name}${why(each)}`),
        message: surges
          ? 'drain.surgeSingletons does not reach these: a StatefulSet, a volume claim that two nodes cannot hold, or an autoscaler that decides on the replicas.'
          : 'It is away for as long as its only pod takes to start on another node.',
        todo: surges ? 'Run two replicas where that matters, or raise minReplicas of its autoscaler.' : 'Run two replicas where that matters, or set spec.drain.surgeSingletons: true for Deployments.',
      }),
    ];
  },
};

function why({ autoscaler, claims }: { autoscaler?: string; claims: boolean }): string {
  if (autoscaler !== undefined) return ` (HorizontalPodAutoscaler ${autoscaler})`;
  return claims ? ' (volume claim)' : '';
}
