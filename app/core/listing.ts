// A listing that breaks its promises is refused: stopping early or out of order means unknown, never absent.
import { StoreError } from './errors.ts';
import type { Log } from './log.ts';
import { compareKeys, type ListPage, type Store, type StoredObject } from './store.ts';

/** S3 answers 1,000 keys at most. */
export const PAGE_MAX_OBJECTS = 1_000;

/**
 * The page itself, once it is proved to be one: keys strictly ascending in UTF-8 byte order, all below `prefix` and
 * after `after`, sizes that are sizes, and no empty page that says more follows.
 * Throws StoreError `bad-listing`.
 */
export function checkPage(page: ListPage, prefix: string, after: string): ListPage {
  const { objects, more } = page;
  if (objects.length > PAGE_MAX_OBJECTS) refuse(prefix, `${objects.length} objects on one page`);
  if (more && objects.length === 0) refuse(prefix, 'an empty page that says more follows');
  let previous = after;
  for (const { key, sizeBytes, etag } of objects) {
    if (!key.startsWith(prefix)) refuse(prefix, `the key ${JSON.stringify(key)} is not below the prefix`);
    if (compareKeys(key, previous) <= 0) {
      refuse(prefix, `the key ${JSON.stringify(key)} does not come after ${JSON.stringify(previous)}`);
    }
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      refuse(prefix, `the size of ${JSON.stringify(key)} is ${sizeBytes}`);
    }
    if (etag === '') refuse(prefix, `${JSON.stringify(key)} has no ETag`);
    previous = key;
  }
  return page;
}

/** One checked page. Rejects with the store's errors or `bad-listing`. */
export async function listPage(
  store: Pick<Store, 'list'>,
  prefix: string,
  after: string,
  signal?: AbortSignal,
): Promise<ListPage> {
  return checkPage(await store.list(prefix, after, signal), prefix, after);
}

/**
 * Every object below `prefix` after `after`, in order, one page in memory. Ends only when the store said that nothing
 * follows; any doubt throws, so what was not yielded is unknown unless the loop ended by itself.
 */
export async function* listAll(
  store: Pick<Store, 'list'>,
  prefix: string,
  after = '',
  signal?: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  let last = after;
  for (;;) {
    if (signal?.aborted)
      throw new StoreError('aborted', `The listing of ${JSON.stringify(prefix)} was stopped.`);
    const page = await listPage(store, prefix, last, signal);
    yield* page.objects;
    if (!page.more) return;
    last = page.objects.at(-1)?.key ?? last;
  }
}

/** The same store; whoever runs it is told of the first page that was read although it was odd, and each is counted. */
export function tellOddPages(store: Store, log: Log, onOdd: () => void = () => {}): Store {
  let told = false;
  const list: Store['list'] = async (prefix, after, signal) => {
    const page = await store.list(prefix, after, signal);
    if (page.odd === undefined) return page;
    onOdd();
    if (!told)
      log.warn(`${store.label} lists in an unusual form, which takes longer to read`, { odd: page.odd });
    told = true;
    return page;
  };
  return Object.create(store, { list: { value: list } });
}

function refuse(prefix: string, why: string): never {
  throw new StoreError(
    'bad-listing',
    `The listing of ${JSON.stringify(prefix)} cannot be trusted: ${why}. Nothing is concluded from it.`,
  );
}
