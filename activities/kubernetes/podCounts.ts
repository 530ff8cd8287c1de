import { controllerOf, podFinished, podReady } from '../../domain/kubernetes/resources.js';
import type { Clients } from '../clients/index.js';
import { bounded } from '../observe/lists.js';
import { mapPods } from './lists.js';

/** Pods of one controller: those that are ready, and all that are neither finished nor on their way out. */
export interface PodCount {
  ready: number;
  all: number;
}

/** Namespaces side by side: of each a page of whole pods is held. */
const PARALLEL = 4;

/** Pods of these namespaces by their controller's UID: one list a namespace, whatever the kinds are. */
export async function podCounts(clients: Clients, namespaces: Iterable<string>): Promise<Map<string, PodCount>> {
  const counts = new Map<string, PodCount>();
  await bounded([...new Set(namespaces)], PARALLEL, (namespace) =>
    mapPods(
      clients,
      (pod) => {
        const uid = controllerOf(pod.metadata)?.uid;
        if (uid === undefined || pod.metadata?.deletionTimestamp !== undefined || podFinished(pod)) return undefined;
        const { ready, all } = counts.get(uid) ?? { ready: 0, all: 0 };
        counts.set(uid, { ready: ready + (podReady(pod) ? 1 : 0), all: all + 1 });
        return undefined;
      },
      namespace,
    ),
  );
  return counts;
}
