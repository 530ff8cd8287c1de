import { entryKey } from '../../../domain/ledger.js';
import type { GuardEntry } from '../../../domain/ledger.js';
import type { NodeRef } from '../../../domain/plan.js';
import { orUndefined } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';
import { probeSelector } from '../../probes/network/jobs.js';
import type { Guard } from '../guard.js';

const RUNNING = 'running';
const SUFFIX = '/probe';

/**
 * The Jobs of the network probe of one node: in the ledger before the first is made, so that whatever ends the run removes them. The
 * entry's name is their namespace, its id begins with the Node's UID.
 */
export const probeJobsGuard: Guard = {
  kind: 'probe-jobs',
  async read(clients, entries) {
    const values = entries.map(async (entry) => [entryKey(entry), { value: (await jobsOf(clients, entry)).length > 0 ? RUNNING : null, setBy: 'us' as const }] as const);
    return new Map(await Promise.all(values));
  },
  /** They are made one by one, by the probe itself; here they only go. */
  async write(clients, entry, to) {
    if (to === null) await removeProbeJobs(clients, entry.name, uidOf(entry));
  },
};

export function probeJobsEntry(node: NodeRef, namespace: string): GuardEntry {
  return { kind: 'probe-jobs', set: 'node', object: `Jobs of the network probe for Node ${node.name} in ${namespace}`, id: `${node.uid}${SUFFIX}`, name: namespace, prior: null, ours: RUNNING, at: new Date().toISOString() };
}

/** Deletes them, and through the garbage collector their pods. */
export async function removeProbeJobs(clients: Clients, namespace: string, uid: string): Promise<void> {
  const { items } = await clients.kube.batch.listNamespacedJob({ namespace, labelSelector: probeSelector(uid) });
  for (const { metadata } of items) {
    // Unless told otherwise the API server leaves a Job's pods behind, as pods that nobody owns.
    const body = { propagationPolicy: 'Background', preconditions: { uid: metadata?.uid } };
    await orUndefined(clients.kube.batch.deleteNamespacedJob({ namespace, name: metadata?.name ?? '', body }));
  }
}

async function jobsOf(clients: Clients, entry: GuardEntry): Promise<unknown[]> {
  return (await clients.kube.batch.listNamespacedJob({ namespace: entry.name, labelSelector: probeSelector(uidOf(entry)), limit: 1 })).items;
}

function uidOf(entry: GuardEntry): string {
  return entry.id.slice(0, -SUFFIX.length);
}
