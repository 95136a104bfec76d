// One object put where a key may be taken already, by an earlier try of our own or by somebody else: what stands there?
import { hash } from 'node:crypto';
import { StoreError } from './errors.ts';
import { etagOf } from './folder/etag.ts';
import { listPage } from './listing.ts';
import type { Retrier } from './retry.ts';
import { SINGLE_PUT_MAX_BYTES, type Store } from './store.ts';

export interface StorePorts {
  readonly store: Store;
  readonly retry: Retrier;
  readonly signal?: AbortSignal | undefined;
}

/** `same`: the key holds this content, written earlier. `unknown`: taken, and this role cannot tell by what. */
export type Standing = 'created' | 'same' | 'other' | 'unknown';

/** Puts the bytes if the key is free, otherwise compares. Rejects with the store's errors once retries are used up. */
export async function putOnce(ports: StorePorts, key: string, body: Buffer): Promise<Standing> {
  const { store, retry, signal } = ports;
  const sha256 = hash('sha256', body, 'hex');
  const result = await retry(
    () =>
      body.length <= SINGLE_PUT_MAX_BYTES
        ? store.put(key, body, sha256, signal)
        : store.putLarge(key, sourceOf(body), undefined, signal),
    signal,
  );
  if (result.outcome === 'created') return 'created';
  // A lost answer and its retry look like a stranger's object: only the content tells.
  return compare(ports, key, body, sha256);
}

async function compare(
  ports: StorePorts,
  key: string,
  body: Buffer,
  sha256: string,
): Promise<Exclude<Standing, 'created'>> {
  const { store, retry, signal } = ports;
  const [found] = (await retry(() => listPage(store, key, '', signal), signal)).objects;
  if (found?.key !== key)
    throw new StoreError(
      'bad-listing',
      `${store.label} says that ${key} is taken, and its listing does not show it: nothing is concluded.`,
    );
  if (found.sizeBytes !== body.length) return 'other';
  if (found.etag === contentEtag(body)) return 'same';
  if (store.mayRead) {
    const head = await retry(() => store.head(key, signal), signal);
    if (head?.sha256Hex !== undefined) return head.sha256Hex === sha256 ? 'same' : 'other';
  }
  return store.etagIsMd5 && found.etag.includes('-') === body.length > SINGLE_PUT_MAX_BYTES
    ? 'other'
    : 'unknown';
}

/** The ETag a store gives these bytes, when its ETags are MD5s: of the parts' MD5s for a large object. */
function contentEtag(body: Buffer): string {
  const etag = etagOf(body.length);
  etag.update(body);
  return etag.digest();
}

function sourceOf(body: Buffer) {
  return {
    sizeBytes: body.length,
    read: (offset: number, lengthBytes: number) => body.subarray(offset, offset + lengthBytes),
    progress() {},
    beforeCommit() {},
  };
}
