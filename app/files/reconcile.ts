// Starting without a memory: the bucket is listed once and compared with the files by content, so that what is there
// already is not sent again, be it a million files.
import type { Clock } from '../core/clock.ts';
import { listPage } from '../core/listing.ts';
import type { Store } from '../core/store.ts';
import { compareKey, compareListed } from './compare.ts';
import { conflictKey, type KeyOf } from './key.ts';
import type { Candidate, Ledger } from './ledger/ledger.ts';
import { type MergePorts, openCursor } from './merge.ts';
import type { BytePath } from './paths.ts';
import { digestFile, ReadError } from './read.ts';
import type { FoundFile } from './walk.ts';

export interface ReconcilePorts extends MergePorts {
  readonly store: Store;
  readonly root: BytePath;
  readonly ledger: Ledger;
  readonly keyOf: KeyOf;
  readonly clock: Clock;
  /** Found in the store with the same content. */
  readonly onSame: (file: FoundFile) => void;
}

/** Whether nothing is below the store's prefix: then there is nothing to compare with. Rejects with StoreError. */
export async function isEmpty(ports: MergePorts): Promise<boolean> {
  ports.onListing();
  const page = await ports.retry(() => listPage(ports.store, '', '', ports.signal), ports.signal);
  return page.objects.length === 0;
}

const CANDIDATES_AT_ONCE = 1_000;

/**
 * Merges the ledger's candidates with the listing. Yields what the store lacks, in key order; remembers the rest as
 * proved. Rejects with StoreError: the candidates not yielded stay unknown and nothing of them is sent.
 */
export async function* reconcile(ports: ReconcilePorts): AsyncGenerator<FoundFile> {
  const { ledger, signal } = ports;
  let last: Pick<Candidate, 'key' | 'path'> = { key: '', path: '' };
  const cursor = openCursor(ports);
  for (;;) {
    const candidates = ledger.candidates.after(last.key, last.path, CANDIDATES_AT_ONCE);
    for (const candidate of candidates) {
      if (signal.aborted) return;
      const found = cursor.find(candidate.key);
      const object = found instanceof Promise ? await found : found;
      if (object === undefined || !(await isThere(ports, candidate, object))) {
        yield { path: candidate.path, stat: candidate.stat };
      }
    }
    ledger.commit();
    const end = candidates.at(-1);
    if (end === undefined) return;
    last = end;
  }
}

/** Whether the store has this file's content under its key or a key that names the content; remembers it then. */
async function isThere(
  ports: ReconcilePorts,
  { path, key, stat }: Candidate,
  object: { readonly key: string; readonly sizeBytes: number; readonly etag: string },
): Promise<boolean> {
  const { store, ledger } = ports;
  try {
    const digests = await digestFile(`${ports.root}/${path}`, stat);
    let foundKey = key;
    let found =
      compareListed(object, stat.size, digests.etag, store.etagIsMd5) === 'same'
        ? ({ verdict: 'same', proof: 'md5', etag: object.etag } as const)
        : await compareKey(ports, key, stat.size, digests);
    for (let attempt = 1; found.verdict === 'other' || found.verdict === 'unknown'; attempt += 1) {
      foundKey = conflictKey(key, digests.etag, attempt);
      found = await compareKey(ports, foundKey, stat.size, digests);
    }
    if (found.verdict !== 'same') return false;
    const { proof, etag } = found;
    ledger.remember(
      { path, key: foundKey, stat, sha256: digests.sha256, etag, proof, proved: true },
      ledger.get(path),
    );
    ports.onSame({ path, stat });
    return true;
  } catch (error) {
    // The file went or changed meanwhile: the walk meets it again in its new state.
    if (error instanceof ReadError) return error.fault === 'vanished' || error.fault === 'changed';
    throw error;
  }
}
