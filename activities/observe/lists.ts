import pLimit from 'p-limit';
import { isNotFound, kubeStatus } from '../clients/errors.js';

const PAGE = 500;

interface Page<T> {
  items: T[];
  metadata?: { _continue?: string };
}

type ListPage<T> = (page: { limit: number; _continue?: string }) => Promise<Page<T>>;

/** Every item of a list, page by page: no single answer of a large cluster is held by the API server at once. */
export async function allPages<T>(list: ListPage<T>): Promise<T[]> {
  return mapPages(list, (item) => item);
}

/** The same, each item reduced at once to what is needed of it: thousands of whole pods do not fit a small worker. */
export async function mapPages<T, R>(list: ListPage<T>, keep: (item: T) => R): Promise<R[]> {
  const items: R[] = [];
  let next: string | undefined;
  do {
    const page = await list({ limit: PAGE, ...(next === undefined ? {} : { _continue: next }) });
    for (const item of page.items) items.push(keep(item));
    next = page.metadata?._continue === '' ? undefined : page.metadata?._continue;
  } while (next !== undefined);
  return items;
}

/**
 * What cannot be read because it is not there (a CRD that is not installed) or not allowed: then the access reviews say so, verb
 * by verb, which is worth more than the first refusal. Every other error is passed on.
 */
export async function readable<T>(read: Promise<T>, fallback: T): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (isNotFound(error) || kubeStatus(error) === 403) return fallback;
    throw error;
  }
}

/** Parallel, but bounded: the API server and AWS both count. */
export async function bounded<T, R>(items: readonly T[], parallel: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const limit = pLimit(parallel);
  return Promise.all(items.map((item) => limit(() => work(item))));
}

/** Slices of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  const slices: T[][] = [];
  for (let start = 0; start < items.length; start += size) slices.push(items.slice(start, start + size));
  return slices;
}

interface CustomObject {
  metadata: { name: string; namespace?: string };
}

type ListCustom = (page: { limit: number; _continue?: string }) => Promise<unknown>;

/** Names of custom objects cluster-wide; none where the CRD is not there. */
export async function customNames(list: ListCustom): Promise<{ namespace: string; name: string }[]> {
  return (await customObjects<CustomObject>(list)).map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }));
}

/** Custom objects cluster-wide; none where the CRD is not there. */
export function customObjects<T>(list: ListCustom): Promise<T[]> {
  return readable(
    allPages<T>(async (page) => {
      const answer = (await list(page)) as { items?: T[]; metadata?: { continue?: string } };
      // Custom objects come as they are on the wire: `continue`, not `_continue`.
      return { items: answer.items ?? [], metadata: { _continue: answer.metadata?.continue } };
    }),
    [],
  );
}
