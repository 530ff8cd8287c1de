import type { V1ConfigMap } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { FIELD_MANAGER, KUBE_SYSTEM, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { mapPages } from '../clients/pages.js';

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
  const labelSelector = `${MANAGED_BY_LABEL}=${MANAGED_BY},${label}`;
  return new Map(await mapPages((page) => clients.kube.core.listNamespacedConfigMap({ namespace: KUBE_SYSTEM, labelSelector, ...page, limit: PAGE }), ({ metadata, data }) => [metadata?.name ?? '', data ?? {}]));
}

type Change = (data: Data) => Data | null;

/**
 * Changes a ConfigMap's data under optimistic concurrency: read, change, write with that resourceVersion; on a conflict
 * again from the read. `change` returns the same object where nothing is to be written, and null to delete the ConfigMap.
 * Within a process those that come while one is written share the next write: nodes that are refreshed side by side would else
 * conflict all the time, or stand in line (fifty of them for a minute). Returns the data as this change left it.
 */
export function changeData(clients: Clients, named: Named, change: Change): Promise<Data> {
  return new Promise((resolve, reject) => {
    const waiting = waitingFor(clients, named.name);
    waiting.push({ change, resolve, reject });
    // Whoever is first writes for those who come until then, and again for those who come meanwhile.
    if (waiting.length === 1) void writeAll(clients, named, waiting);
  });
}

interface Waiting {
  change: Change;
  resolve: (data: Data) => void;
  reject: (error: unknown) => void;
}

const lines = new WeakMap<Clients, Map<string, Waiting[]>>();

function waitingFor(clients: Clients, name: string): Waiting[] {
  const ofCluster = lines.get(clients) ?? new Map<string, Waiting[]>();
  lines.set(clients, ofCluster);
  const waiting = ofCluster.get(name) ?? [];
  ofCluster.set(name, waiting);
  return waiting;
}

/** Until nobody waits. Those that are being written stay in line, so that nobody else begins. */
async function writeAll(clients: Clients, named: Named, waiting: Waiting[]): Promise<void> {
  while (waiting.length > 0) {
    const batch = [...waiting];
    try {
      const outcomes = await changeNow(clients, named, batch.map(({ change }) => change));
      for (const [index, outcome] of outcomes.entries()) {
        if ('error' in outcome) batch[index]?.reject(outcome.error);
        else batch[index]?.resolve(outcome.data);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    waiting.splice(0, batch.length);
  }
}

type Outcome = { data: Data } | { error: unknown };

async function changeNow(clients: Clients, named: Named, changes: readonly Change[]): Promise<Outcome[]> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: named.name }));
    const before: Data = found?.data ?? {};
    const { after, outcomes } = applied(before, changes);
    if (after === before || (after === null && found === undefined)) return outcomes;
    try {
      await write(clients, found ?? fresh(named), after);
      return outcomes;
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

/** One change after the other; one that throws changes nothing, and is told to nobody but its own caller. */
function applied(before: Data, changes: readonly Change[]): { after: Data | null; outcomes: Outcome[] } {
  let after: Data | null = before;
  const outcomes = changes.map((change): Outcome => {
    try {
      // What one of them deletes, the next one finds empty.
      const data = after ?? {};
      const changed = change(data);
      if (changed !== data) after = changed;
      return { data: changed ?? {} };
    } catch (error) {
      return { error };
    }
  });
  return { after, outcomes };
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
