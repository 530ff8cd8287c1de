import type { V1ConfigMap } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { FIELD_MANAGER, KUBE_SYSTEM, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

export type Data = Readonly<Record<string, string>>;

const ROUNDS = 8;

/** Data of a ConfigMap in kube-system; undefined where there is none. */
export async function readData(clients: Clients, name: string): Promise<Data | undefined> {
  const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name }));
  return found && (found.data ?? {});
}

/**
 * Changes a ConfigMap's data under optimistic concurrency: read, change, write with that resourceVersion; on a conflict
 * again from the read. `change` returns the same object where nothing is to be written, and null to delete the ConfigMap.
 */
export async function changeData(clients: Clients, name: string, change: (data: Data) => Data | null): Promise<Data> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name }));
    const before: Data = found?.data ?? {};
    const after = change(before);
    if (after === before || (after === null && found === undefined)) return before;
    try {
      await write(clients, found ?? fresh(name), after);
      return after ?? {};
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
  throw new CiliateError(
    'Transient',
    { object: `ConfigMap ${KUBE_SYSTEM}/${name}`, expected: 'to write it', seen: `${ROUNDS} conflicts in a row`, todo: 'It is tried again.' },
    { code: 'Conflict' },
  );
}

async function write(clients: Clients, config: V1ConfigMap, data: Data | null): Promise<void> {
  const { core } = clients.kube;
  const name = config.metadata?.name ?? '';
  const { uid, resourceVersion } = config.metadata ?? {};
  if (data === null) {
    await core.deleteNamespacedConfigMap({ namespace: KUBE_SYSTEM, name, body: { preconditions: { uid, resourceVersion } } });
  } else if (resourceVersion === undefined) {
    await core.createNamespacedConfigMap({ namespace: KUBE_SYSTEM, body: { ...config, data: { ...data } }, fieldManager: FIELD_MANAGER });
  } else {
    await core.replaceNamespacedConfigMap({ namespace: KUBE_SYSTEM, name, body: { ...config, data: { ...data } }, fieldManager: FIELD_MANAGER });
  }
}

function fresh(name: string): V1ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: KUBE_SYSTEM, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } } };
}
