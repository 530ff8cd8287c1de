import pLimit from 'p-limit';
import { isNotFound, kubeStatus } from '../clients/errors.js';
import { mapCustomPages } from '../clients/pages.js';
import type { PageOptions } from '../clients/pages.js';

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

type ListCustom = (page: PageOptions) => Promise<unknown>;

/** Names of custom objects cluster-wide; none where the CRD is not there. */
export function customNames(list: ListCustom): Promise<{ namespace: string; name: string }[]> {
  return readable(mapCustomPages(list, ({ metadata: { namespace = '', name } }: CustomObject) => ({ namespace, name })), []);
}

/** Custom objects cluster-wide; none where the CRD is not there. */
export function customObjects<T>(list: ListCustom): Promise<T[]> {
  return readable(mapCustomPages<T, T>(list, (item) => item), []);
}
