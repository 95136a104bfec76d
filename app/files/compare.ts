// What a listed object says about a file's content: the same, another, or nothing that can be told.

import { StoreError } from '../core/errors.ts';
import { listPage } from '../core/listing.ts';
import type { Retrier } from '../core/retry.ts';
import type { Store, StoredObject } from '../core/store.ts';
import type { Proof } from './ledger/ledger.ts';
import type { ContentDigests } from './read.ts';

export type Comparison =
  | { readonly verdict: 'same'; readonly proof: Proof; readonly etag: string }
  | { readonly verdict: 'other' | 'unknown' | 'absent' };

/**
 * | sizes  | ETag is the content's | ETags here are MD5s | then      |
 * |--------|-----------------------|---------------------|-----------|
 * | differ | -                     | -                   | `other`   |
 * | equal  | yes                   | -                   | `same`    |
 * | equal  | no                    | yes                 | `other`   |
 * | equal  | no                    | no                  | `unknown` |
 */
export function compareListed(
  object: StoredObject,
  sizeBytes: number,
  contentEtag: string,
  etagIsMd5: boolean,
): 'same' | 'other' | 'unknown' {
  if (object.sizeBytes !== sizeBytes) return 'other';
  if (object.etag === contentEtag) return 'same';
  // A part count other than Ferry's own says that somebody else chose the parts: the same content may be in it.
  const comparable = etagIsMd5 && object.etag.includes('-') === contentEtag.includes('-');
  return comparable ? 'other' : 'unknown';
}

/** Asks the store about one key: a listing first, the stored checksum where the role may read. Rejects with StoreError. */
export async function compareKey(
  ports: { readonly store: Store; readonly retry: Retrier; readonly signal: AbortSignal },
  key: string,
  sizeBytes: number,
  digests: ContentDigests,
): Promise<Comparison> {
  const { store, retry, signal } = ports;
  const page = await retry(() => listPage(store, key, '', signal), signal);
  const object = page.objects[0];
  if (object?.key !== key) return { verdict: 'absent' };
  const verdict = compareListed(object, sizeBytes, digests.etag, store.etagIsMd5);
  if (verdict === 'same') return { verdict, proof: 'md5', etag: object.etag };
  // An unlike ETag proves nothing before the store has shown that its ETags are MD5s (SSE-KMS): the checksum decides.
  if (store.mayRead && object.sizeBytes === sizeBytes) {
    const head = await retry(() => store.head(key, signal), signal).catch(unknownIfDenied);
    if (head?.sha256Hex === digests.sha256) return { verdict: 'same', proof: 'checksum', etag: head.etag };
    if (head?.sha256Hex !== undefined) return { verdict: 'other' };
  }
  return { verdict };
}

/** An object that may not be read tells nothing: that is this file's matter, not the store's. */
function unknownIfDenied(error: unknown): undefined {
  if (error instanceof StoreError && error.fault === 'denied') return undefined;
  throw error;
}
