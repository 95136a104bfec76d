// Two sorted streams, what is asked for and what the store lists, merged with one page of each in memory. Stretches of
// the listing that nobody asks for are skipped.
import { listPage } from '../core/listing.ts';
import type { Retrier } from '../core/retry.ts';
import { compareKeys, type ListPage, type Store, type StoredObject } from '../core/store.ts';

export interface MergePorts {
  readonly store: Pick<Store, 'list'>;
  readonly retry: Retrier;
  readonly signal: AbortSignal;
  /** Called for each page asked for. */
  readonly onListing: () => void;
}

/** A place in the listing that only moves forward. Every page is asked for after this was made. */
export interface ListingCursor {
  /**
   * The object under `key`, or undefined when a complete answer shows that there is none. Keys must be asked for in
   * ascending order. A promise only where a page must be had: a thousand keys need not wait a turn each. Rejects with
   * StoreError: the key is then unknown, not absent.
   */
  find(key: string): StoredObject | undefined | Promise<StoredObject | undefined>;
}

export function openCursor(ports: MergePorts): ListingCursor {
  let page: ListPage | undefined;
  let at = 0;
  const load = async (after: string): Promise<ListPage> => {
    ports.onListing();
    at = 0;
    return ports.retry(() => listPage(ports.store, '', after, ports.signal), ports.signal);
  };
  /** Where to list on from so that the page in hand comes to tell about `key`; undefined when it does already. */
  const missingFrom = (key: string): string | undefined => {
    if (page === undefined) return justBefore(key);
    const lastKey = page.objects.at(-1)?.key;
    if (!page.more || lastKey === undefined || compareKeys(lastKey, key) >= 0) return undefined;
    const jump = justBefore(key);
    return compareKeys(jump, lastKey) > 0 ? jump : lastKey;
  };
  const take = (key: string): StoredObject | undefined => {
    let object = page?.objects[at];
    while (object !== undefined && compareKeys(object.key, key) < 0) {
      at += 1;
      object = page?.objects[at];
    }
    return object?.key === key ? object : undefined;
  };
  const listTo = async (key: string): Promise<StoredObject | undefined> => {
    for (let after = missingFrom(key); after !== undefined; after = missingFrom(key))
      page = await load(after);
    return take(key);
  };
  return {
    find: (key) => (missingFrom(key) === undefined ? take(key) : listTo(key)),
  };
}

/** A key shortly before this one, so that a listing after it begins at this one or little earlier. */
export function justBefore(key: string): string {
  const last = key.charCodeAt(key.length - 1);
  const rest = key.slice(0, -1);
  // Only plain letters and digits have a plain neighbour; anything else begins at its parent string.
  if (last > 0x30 && last < 0x7f) return `${rest}${String.fromCharCode(last - 1)}~`;
  return last >= 0xdc00 && last <= 0xdfff ? key.slice(0, -2) : rest;
}
