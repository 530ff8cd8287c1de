import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { FIELD_MANAGER, KUBE_SYSTEM, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

export type Data = Readonly<Record<string, string>>;

/** A ConfigMap in kube-system, and the labels that it is made with beside the one that says whose it is. */
export interface Named {
  name: string;
  labels?: Readonly<Record<string, string>>;
}

const ROUNDS = 8;
/** ConfigMaps a page of a list: a megabyte each at most. */
const PAGE = 8;

/** Data of a ConfigMap in kube-system; undefined where there is none. */
export async function readData(clients: Clients, name: string): Promise<Data | undefined> {
  const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name }));
  return found && (found.data ?? {});
}

/** Data of all ConfigMaps of ours with that label, by name. */
export async function listData(clients: Clients, label: string): Promise<Map<string, Data>> {
  const found = new Map<string, Data>();
  let next: string | undefined;
  do {
    const page = await clients.kube.core.listNamespacedConfigMap({ namespace: KUBE_SYSTEM, labelSelector: `${MANAGED_BY_LABEL}=${MANAGED_BY},${label}`, limit: PAGE, _continue: next });
    for (const { metadata, data } of page.items) found.set(metadata?.name ?? '', data ?? {});
    next = page.metadata?._continue || undefined;
  } while (next !== undefined);
  return found;
}

/**
 * Changes a ConfigMap's data under optimistic concurrency: read, change, write with that resourceVersion; on a conflict
 * again from the read. `change` returns the same object where nothing is to be written, and null to delete the ConfigMap.
 * Within a process one change follows the other: nodes that are refreshed side by side would else conflict all the time.
 */
export function changeData(clients: Clients, named: Named, change: (data: Data) => Data | null): Promise<Data> {
  return queueOf(clients, named.name)(() => changeNow(clients, named, change));
}

async function changeNow(clients: Clients, named: Named, change: (data: Data) => Data | null): Promise<Data> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: named.name }));
    const before: Data = found?.data ?? {};
    const after = change(before);
    if (after === before || (after === null && found === undefined)) return before;
    try {
      await write(clients, found ?? fresh(named), after);
      return after ?? {};
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
  throw new CiliateError(
    'Transient',
    { object: `ConfigMap ${KUBE_SYSTEM}/${named.name}`, expected: 'to write it', seen: `${ROUNDS} conflicts in a row`, todo: 'It is tried again.' },
    { code: 'Conflict' },
  );
}

const queues = new WeakMap<Clients, Map<string, LimitFunction>>();

function queueOf(clients: Clients, name: string): LimitFunction {
  const ofCluster = queues.get(clients) ?? new Map<string, LimitFunction>();
  queues.set(clients, ofCluster);
  const queue = ofCluster.get(name) ?? pLimit(1);
  ofCluster.set(name, queue);
  return queue;
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

function fresh({ name, labels }: Named): V1ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: KUBE_SYSTEM, labels: { ...labels, [MANAGED_BY_LABEL]: MANAGED_BY } } };
}
