import { ApiException, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1DaemonSet, V1Node, V1Scale } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { KARPENTER_GROUP } from '../../domain/kubernetes/karpenter.js';
import { FIELD_MANAGER } from '../../domain/names.js';
import { isNotFound, statusOf } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

/** RFC 6902. `test` makes the whole patch fail where the world has moved on. */
export type PatchOp = { op: 'test' | 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string };

const JSON_PATCH = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch);

/** Patches a Node; the first operation should test its UID, for a name may be another machine's by now. */
export async function patchNode(clients: Clients, name: string, body: PatchOp[]): Promise<V1Node> {
  return tested(`Node ${name}`, () => clients.kube.core.patchNode({ name, body, fieldManager: FIELD_MANAGER }, JSON_PATCH));
}

/** Takes a label off this very node while it still has that value. False: the node is gone. */
export async function takeLabelOff(clients: Clients, { metadata }: V1Node, label: { key: string; value: string }): Promise<boolean> {
  const path = pointer('metadata', 'labels', label.key);
  try {
    await patchNode(clients, metadata?.name ?? '', [
      { op: 'test', path: '/metadata/uid', value: metadata?.uid },
      { op: 'test', path, value: label.value },
      { op: 'remove', path },
    ]);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

export async function patchDaemonSet(clients: Clients, at: { namespace: string; name: string }, body: PatchOp[]): Promise<V1DaemonSet> {
  const { namespace, name } = at;
  return tested(`DaemonSet ${namespace}/${name}`, () => clients.kube.apps.patchNamespacedDaemonSet({ namespace, name, body, fieldManager: FIELD_MANAGER }, JSON_PATCH));
}

/** Sets replicas through the subresource `scale`, whose UID is the Deployment's. */
export async function patchScale(clients: Clients, at: { namespace: string; name: string }, body: PatchOp[]): Promise<V1Scale> {
  const { namespace, name } = at;
  return tested(`Deployment ${namespace}/${name}`, () => clients.kube.apps.patchNamespacedDeploymentScale({ namespace, name, body, fieldManager: FIELD_MANAGER }, JSON_PATCH));
}

export async function patchNodePool(clients: Clients, name: string, body: PatchOp[]): Promise<void> {
  await tested(`NodePool ${name}`, () =>
    clients.kube.custom.patchClusterCustomObject({ group: KARPENTER_GROUP, version: 'v1', plural: 'nodepools', name, body, fieldManager: FIELD_MANAGER }, JSON_PATCH),
  );
}

/** A JSON pointer to a key that holds slashes. */
export function pointer(...segments: string[]): string {
  return segments.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A patch that does not apply: a `test` failed, or a path is not there any more. An object that would be invalid names its fields instead. */
const DOES_NOT_APPLY = /test|doc is missing|rejected our request due to an error in our request/i;

/** A patch that does not apply comes back as 422; that is a conflict, not an invalid patch. */
async function tested<T>(object: string, patch: () => Promise<T>): Promise<T> {
  try {
    return await patch();
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 422 || !DOES_NOT_APPLY.test(said(error))) throw error;
    throw new CiliateError(
      'Transient',
      { object, expected: 'it as it was read', seen: 'it changed meanwhile', todo: 'It is read and tried again.' },
      { code: 'Conflict', cause: error },
    );
  }
}

function said(error: ApiException<unknown>): string {
  const status = statusOf(error);
  return [status.message, ...(status.details?.causes ?? []).map((cause) => cause.message)].join(' ');
}
