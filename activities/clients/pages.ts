import { orUndefined } from './errors.js';

/** Items a page: no single answer of a large cluster is held by the API server, or here, at once. 250 whole pods are some ten megabytes here while they are read. */
const PAGE = 250;

export interface PageOptions {
  limit: number;
  _continue?: string;
}

interface Page<T> {
  items: T[];
  metadata?: { _continue?: string };
}

type ListPage<T> = (page: PageOptions) => Promise<Page<T>>;

/** Every item of a list, page by page. */
export function allPages<T>(list: ListPage<T>): Promise<T[]> {
  return mapPages(list, (item) => item);
}

/** The same, each item reduced at once to what is needed of it: thousands of whole objects do not fit a small worker. */
export async function mapPages<T, R>(list: ListPage<T>, keep: (item: T) => R): Promise<R[]> {
  const items: R[] = [];
  let next: string | undefined;
  do {
    const page = await list({ limit: PAGE, ...(next === undefined ? {} : { _continue: next }) });
    for (const item of page.items) items.push(keep(item));
    next = page.metadata?._continue || undefined;
  } while (next !== undefined);
  return items;
}

/** Of custom objects; none where there is no such kind. */
export function mapCustomPages<T, R>(list: (page: PageOptions) => Promise<unknown>, keep: (item: T) => R): Promise<R[]> {
  return mapPages<T, R>(async (page) => {
    const answer = (await orUndefined(list(page))) as { items?: T[]; metadata?: { continue?: string } } | undefined;
    // They come as they are on the wire: `continue`, not `_continue`.
    return { items: answer?.items ?? [], metadata: { _continue: answer?.metadata?.continue } };
  }, keep);
}
