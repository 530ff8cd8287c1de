import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { clipped } from '../../domain/clipped.js';
import { sha256Hex } from '../../domain/digest.js';
import { EVENT_NAMESPACE, FIELD_MANAGER } from '../../domain/names.js';
import type { NodeRef } from '../../domain/plan.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

const MERGE_PATCH = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
/** Longest message of an Event that the API server takes. */
const LONGEST = 1_024;

/** What is said of a Node. `key`: the same key is the same Event, counted up. */
export interface NodeNews {
  type: 'Normal' | 'Warning';
  reason: 'CiliateDrainBlocked' | 'CiliateDrainContinues';
  key: string;
  message: string;
}

/**
 * An Event on the Node, for `kubectl describe node`: made once, then counted up. Like every recorder of events it does its best
 * only: that it cannot be written must not keep a drain from going on.
 */
export async function tellNode(clients: Clients, ref: NodeRef, news: NodeNews): Promise<void> {
  try {
    await write(clients, ref, news);
  } catch {
    // Status and Temporal's UI tell the same.
  }
}

async function write({ kube: { core } }: Clients, ref: NodeRef, { type, reason, key, message }: NodeNews): Promise<void> {
  const namespace = EVENT_NAMESPACE;
  const name = `${ref.name.slice(0, 200)}.${sha256Hex(`${ref.uid} ${reason} ${key}`).slice(0, 16)}`;
  const now = new Date();
  const text = clipped(message, LONGEST);
  const found = await orUndefined(core.readNamespacedEvent({ namespace, name }));
  if (found !== undefined) {
    const body = { count: (found.count ?? 1) + 1, lastTimestamp: now.toISOString(), message: text };
    await core.patchNamespacedEvent({ namespace, name, body, fieldManager: FIELD_MANAGER }, MERGE_PATCH);
    return;
  }
  await core.createNamespacedEvent({
    namespace,
    fieldManager: FIELD_MANAGER,
    body: {
      metadata: { name, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: ref.name, uid: ref.uid },
      type,
      reason,
      message: text,
      source: { component: FIELD_MANAGER },
      reportingComponent: FIELD_MANAGER,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    },
  });
}
