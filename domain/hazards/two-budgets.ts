import type { Hazard } from '../findings.js';
import { onNodesThatGo } from '../plan/nodes.js';
import { finding } from './finding.js';

export const twoBudgets: Hazard = {
  id: 'two-budgets',
  title: 'A pod that more than one PodDisruptionBudget counts',
  check({ cluster }) {
    const pods = onNodesThatGo(cluster, cluster.budgetOverlaps);
    if (pods.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects: pods.map((pod) => `Pod ${pod.namespace}/${pod.name} (PodDisruptionBudgets ${pod.budgets.join(', ')})`),
        message: 'The Eviction API refuses such a pod whatever the budgets say: the drain of its node waits until a person leaves one of them.',
        todo: 'Leave one budget for each pod: narrow or delete the other, now or while the drain waits.',
      }),
    ];
  },
};
