// Putting: one file to one object. A key that is taken means compare: same content is a success, other content gets a
// new key that names it.
import { hash } from 'node:crypto';
import { StoreError } from '../core/errors.ts';
import { listPage } from '../core/listing.ts';
import type { Retrier } from '../core/retry.ts';
import type { PutResult, Store, UploadState } from '../core/store.ts';
import { compareKey } from './compare.ts';
import { conflictKey, type KeyOf } from './key.ts';
import { isLedgerFull } from './ledger/database.ts';
import type { Ledger, NewRow, Proof } from './ledger/ledger.ts';
import type { BytePath } from './paths.ts';
import { type ContentDigests, digestFile, isLarge, openLarge, readSmall, sha256OfParts } from './read.ts';
import type { FoundFile } from './walk.ts';

export interface SendPorts {
  readonly root: BytePath;
  readonly store: Store;
  readonly retry: Retrier;
  readonly keyOf: KeyOf;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

export interface Sent {
  /** `same`: the store had the content already, nothing was made. */
  readonly outcome: 'created' | 'same';
  readonly row: NewRow;
  /** Keys found taken by other content. */
  readonly conflicts: number;
}

/** Each loss of memory may cost a key where content cannot be compared (SSE-KMS without a read grant); more is no accident. */
const KEYS_TRIED_MAX = 20;

/** Rejects with ReadError (the file) or StoreError (the store). */
export function sendFile(ports: SendPorts, file: FoundFile): Promise<Sent> {
  return isLarge(file.stat.size) ? sendLarge(ports, file) : sendSmall(ports, file);
}

/**
 * Buffers that small files are read into, one for each that is on its way: a new one for each file is memory outside the
 * heap, which the collector is called for. 64 KiB hold nearly every small file.
 */
export const READ_BUFFER_BYTES = 64 * 2 ** 10;
const readBuffers: Buffer[] = [];

async function sendSmall(ports: SendPorts, file: FoundFile): Promise<Sent> {
  const { store, retry, signal } = ports;
  const buffer = readBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const { body, sha256 } = readSmall(`${ports.root}/${file.path}`, file.stat, buffer);
  const key = ports.keyOf(file.path, file.stat.mtimeMs);
  let tries = 0;
  const put = (putKey: string): Promise<PutResult> =>
    retry(() => {
      tries += 1;
      return store.put(putKey, body, sha256, signal);
    }, signal);
  const result = await put(key);
  if (result.outcome === 'created') {
    // Not after any other answer, be it to an earlier try: it may have come before the whole body was taken from it.
    if (tries === 1) readBuffers.push(buffer);
    return asCreated(file, key, sha256, result.etag, 0);
  }
  // The MD5 is needed only when a key is taken.
  const digests = { sha256, etag: hash('md5', body, 'hex') };
  return afterTaken(ports, file, key, { put, sha256: () => sha256, digests: () => Promise.resolve(digests) });
}

async function sendLarge(ports: SendPorts, file: FoundFile): Promise<Sent> {
  const { root, store, retry, ledger, keyOf, signal } = ports;
  const absolute = `${root}/${file.path}`;
  const key = keyOf(file.path, file.stat.mtimeMs);
  // Asking first costs a listing; not asking would cost the whole upload when the object is there already.
  const page = await retry(() => listPage(store, key, '', signal), signal);
  const isTaken = page.objects[0]?.key === key;
  const digestsOnce = once(() => digestFile(absolute, file.stat, signal));
  let state: UploadState | undefined;
  let sha256 = '';
  const upload: Upload = {
    put: (putKey) => {
      state = ledger.uploads.get(file.path, putKey, file.stat);
      return retry(async () => {
        const source = openLarge(absolute, file.stat, (progress) => {
          state = progress;
          rememberUpload(ledger, file, putKey, progress);
        });
        try {
          const result = await store.putLarge(putKey, source, state, signal);
          if (result.outcome === 'created')
            sha256 = sha256OfParts((state?.parts ?? []).map((part) => part.sha256));
          return result;
        } finally {
          source.close();
        }
      }, signal);
    },
    sha256: () => sha256,
    digests: digestsOnce,
  };
  const result: PutResult = isTaken ? { outcome: 'exists' } : await upload.put(key);
  const sent =
    result.outcome === 'created'
      ? asCreated(file, key, sha256, result.etag, 0)
      : await afterTaken(ports, file, key, upload);
  ledger.uploads.delete(file.path);
  return sent;
}

/** On a full disk the upload goes on; only a kill would then start it anew. */
function rememberUpload(ledger: Ledger, file: FoundFile, key: string, state: UploadState): void {
  try {
    ledger.uploads.set(file.path, key, file.stat, state);
  } catch (error) {
    if (!isLedgerFull(error)) throw error;
  }
}

interface Upload {
  put(key: string): Promise<PutResult>;
  /** Of the content that was put; known once a put created. */
  sha256(): string;
  digests(): Promise<ContentDigests>;
}

/** The first key is taken: compare, and go on to a key that names the content while it is other content's. */
async function afterTaken(
  ports: SendPorts,
  file: FoundFile,
  firstKey: string,
  upload: Upload,
): Promise<Sent> {
  const digests = await upload.digests();
  let key = firstKey;
  let saidTaken = firstKey;
  for (let conflicts = 0; conflicts < KEYS_TRIED_MAX; ) {
    const found = await compareKey(ports, key, file.stat.size, digests);
    if (found.verdict === 'same') return asSame(file, key, digests.sha256, found, conflicts);
    if (found.verdict === 'absent') {
      if (key === saidTaken) throw takenYetUnlisted(key);
      const result = await upload.put(key);
      if (result.outcome === 'created') return asCreated(file, key, upload.sha256(), result.etag, conflicts);
      saidTaken = key;
      continue;
    }
    conflicts += 1;
    key = conflictKey(firstKey, digests.etag, conflicts);
  }
  throw new StoreError(
    'bad-request',
    `${KEYS_TRIED_MAX} keys that name this content are taken, the last is ${JSON.stringify(key)}, and none can be shown to hold it.`,
  );
}

function takenYetUnlisted(key: string): StoreError {
  return new StoreError(
    'conflict',
    `The key ${JSON.stringify(key)} is taken, yet a listing does not show it.`,
  );
}

function asCreated(file: FoundFile, key: string, sha256: string, etag: string, conflicts: number): Sent {
  return { outcome: 'created', row: rowOf(file, key, sha256, etag, 'put', false), conflicts };
}

function asSame(
  file: FoundFile,
  key: string,
  sha256: string,
  found: { readonly proof: Proof; readonly etag: string },
  conflicts: number,
): Sent {
  // The listing that showed the object came after the content was hashed: this is a proof already.
  return { outcome: 'same', row: rowOf(file, key, sha256, found.etag, found.proof, true), conflicts };
}

function rowOf(
  file: FoundFile,
  key: string,
  sha256: string,
  etag: string,
  proof: Proof,
  proved: boolean,
): NewRow {
  return { path: file.path, key, stat: file.stat, sha256, etag, proof, proved };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
