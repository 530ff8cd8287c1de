import { KUBE_SYSTEM, MANAGED_BY, MANAGED_BY_LABEL, NODE_PAGES, NODE_PAGES_LABEL } from '../../domain/names.js';
import type { NodeResult } from '../../domain/refresh.js';
import type { NodePageRequest } from '../api.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { changeData, readData } from './configMap.js';
import { each } from './each.js';

const KEY = 'nodes.json';

/** Writes a page, the same bytes however often; the first page of a run drops those of older runs. */
export async function fileNodes(clients: Clients, { run, page, nodes }: { run: string; page: number; nodes: NodeResult[] }): Promise<void> {
  if (page === 1) await dropOthers(clients, run);
  const text = JSON.stringify(nodes);
  await changeData(clients, { name: nameOf(run, page), labels: { [NODE_PAGES_LABEL]: run } }, (data) => (data[KEY] === text ? data : { [KEY]: text }));
}

/** Null where there is no such page. */
export async function readNodePage(clients: Clients, { run, page }: Pick<NodePageRequest, 'run' | 'page'>): Promise<NodeResult[] | null> {
  const text = (await readData(clients, nameOf(run, page)))?.[KEY];
  return text === undefined ? null : (JSON.parse(text) as NodeResult[]);
}

async function dropOthers(clients: Clients, run: string): Promise<void> {
  const { core } = clients.kube;
  const labelSelector = `${MANAGED_BY_LABEL}=${MANAGED_BY},${NODE_PAGES_LABEL},${NODE_PAGES_LABEL}!=${run}`;
  const { items } = await core.listNamespacedConfigMap({ namespace: KUBE_SYSTEM, labelSelector });
  await each(items, async ({ metadata }) => {
    const { name = '', uid } = metadata ?? {};
    try {
      await core.deleteNamespacedConfigMap({ namespace: KUBE_SYSTEM, name, body: { preconditions: { uid } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

function nameOf(run: string, page: number): string {
  return `${NODE_PAGES}-${run}-${page}`;
}
