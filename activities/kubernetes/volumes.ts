import { StorageV1Api } from '@kubernetes/client-node';
import type { V1VolumeAttachment } from '@kubernetes/client-node';
import { podFinished } from '../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Look, NodeRequest } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { podsOnNode } from './lists.js';

/**
 * So long Kubernetes itself waits before it detaches by force (maxWaitForUnmountDuration of the attach/detach controller); the
 * termination of the instance then detaches whatever is left.
 */
const LIMIT_MS = 360_000;

/** Done when no volume of a drained pod is attached any more, or after six minutes: then with a note. */
export async function lookDetached(clients: Clients, { node: ref, since, known }: NodeRequest & { since: string; known: string }): Promise<Look & { notes: string[] }> {
  const left = await attachmentsLeft(clients, ref);
  const over = Date.now() - Date.parse(since) > LIMIT_MS;
  const notes = over ? left.map((attachment) => `${text(attachment)} was still attached after ${LIMIT_MS / 60_000} minutes; the instance was terminated with it`) : [];
  const blockers = left.map((attachment) => ({
    object: text(attachment),
    reason: `is still attached to Node ${ref.name}`,
    todo: `It is awaited for up to ${LIMIT_MS / 60_000} minutes: kubectl describe volumeattachment ${attachment.metadata?.name}`,
    since,
  }));
  return look({ known, done: left.length === 0 || over, blockers, seenOf: left.map(({ metadata }) => metadata?.name).sort(), extra: { notes } });
}

/** VolumeAttachments of this node, without those of pods that a drain leaves where they are. */
export async function attachmentsLeft(clients: Clients, ref: NodeRef): Promise<V1VolumeAttachment[]> {
  // From the API server's cache: one list a node, and what is new cannot be for a cordoned one.
  const { items } = await clients.kube.make(StorageV1Api).listVolumeAttachment({ resourceVersion: '0' });
  const here = items.filter(({ spec }) => spec.nodeName === ref.name);
  if (here.length === 0) return [];
  const staying = await volumesInUse(clients, ref);
  return here.filter(({ spec }) => !staying.has(spec.source.persistentVolumeName ?? ''));
}

/** PersistentVolumes of the pods that are still there: DaemonSets' and static ones. */
async function volumesInUse(clients: Clients, ref: NodeRef): Promise<Set<string>> {
  const claims = (await podsOnNode(clients, ref.name))
    .filter((pod) => !podFinished(pod) && pod.metadata?.deletionTimestamp === undefined)
    .flatMap(({ metadata, spec }) => (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => (claim === undefined ? [] : [{ namespace: metadata?.namespace ?? '', name: claim.claimName }])));
  const found = await Promise.all(claims.map((claim) => orUndefined(clients.kube.core.readNamespacedPersistentVolumeClaim(claim))));
  return new Set(found.flatMap((claim) => claim?.spec?.volumeName ?? []));
}

function text({ metadata, spec }: V1VolumeAttachment): string {
  return `VolumeAttachment ${metadata?.name} (${spec.source.persistentVolumeName ?? 'inline volume'})`;
}
