// A store over an array, with pages as small as a test likes and answers that it can bend.
import { hash } from 'node:crypto';
import { StoreError } from '../../app/core/errors.ts';
import { createRetrier, createRetryBudget, type Retrier } from '../../app/core/retry.ts';
import {
  compareKeys,
  type ListPage,
  partSizeBytes,
  type Store,
  type StoredObject,
} from '../../app/core/store.ts';
import { createFakeClock } from '../support/fake-clock.ts';

export interface ArrayStore extends Store {
  /** Whole objects by key; a test may change them. */
  readonly objects: Map<string, StoredObject & { readonly sha256Hex: string; readonly body?: Buffer }>;
  /** What was asked, in order, e.g. `put a/b`, `list after x`. */
  readonly asked: string[];
  place(key: string, body: Buffer): void;
  /** Called before each listing; may change the store, or throw. */
  beforeList: (after: string, prefix: string) => void;
  /** Bends a page. */
  lie: (page: ListPage) => ListPage;
}

export interface ArrayStoreOptions {
  /** Objects on each page; default always 1,000. */
  readonly pageSize?: () => number;
  readonly etagIsMd5?: boolean;
  readonly mayRead?: boolean;
}

export const md5 = (body: Buffer): string => hash('md5', body, 'hex');

export const sha256 = (body: Buffer): string => hash('sha256', body, 'hex');

export function createArrayStore(options: ArrayStoreOptions = {}): ArrayStore {
  const { pageSize = () => 1_000, etagIsMd5 = true, mayRead = false } = options;
  const objects: ArrayStore['objects'] = new Map();
  const asked: string[] = [];
  let sorted: string[] | undefined;
  const etagOf = (body: Buffer): string =>
    etagIsMd5 ? md5(body) : md5(Buffer.concat([body, Buffer.from('kms')]));
  const add = (key: string, body: Buffer, etag: string): void => {
    objects.set(key, { key, sizeBytes: body.length, etag, sha256Hex: sha256(body), body });
  };
  const store: ArrayStore = {
    label: 'array',
    etagIsMd5,
    mayRead,
    objects,
    asked,
    beforeList: () => {},
    lie: (page) => page,
    place: (key, body) => add(key, body, etagOf(body)),
    async put(key, body) {
      asked.push(`put ${key}`);
      if (objects.has(key)) return { outcome: 'exists' };
      add(key, Buffer.from(body), etagOf(body));
      return { outcome: 'created', etag: etagOf(body) };
    },
    async putLarge(key, source) {
      asked.push(`putLarge ${key}`);
      const parts: Buffer[] = [];
      const partBytes = partSizeBytes(source.sizeBytes);
      for (let offset = 0; offset < source.sizeBytes; offset += partBytes) {
        parts.push(Buffer.from(source.read(offset, Math.min(partBytes, source.sizeBytes - offset))));
        const told = parts.map((part, index) => ({
          number: index + 1,
          etag: md5(part),
          sha256: sha256(part),
          sizeBytes: part.length,
        }));
        source.progress({ uploadId: 'array', parts: told });
      }
      source.beforeCommit();
      if (objects.has(key)) return { outcome: 'exists' };
      const digests = parts.map((part) => Buffer.from(md5(part), 'hex'));
      const etag = `${md5(Buffer.concat(digests))}-${parts.length}`;
      add(key, Buffer.concat(parts), etag);
      return { outcome: 'created', etag };
    },
    async list(prefix, after) {
      asked.push(`list ${prefix}|${after}`);
      store.beforeList(after, prefix);
      if (sorted?.length !== objects.size) sorted = [...objects.keys()].sort(compareKeys);
      const rest = sorted.filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0);
      const count = pageSize();
      const page = rest.slice(0, count).flatMap((key) => {
        const object = objects.get(key);
        return object ? [{ key, sizeBytes: object.sizeBytes, etag: object.etag }] : [];
      });
      return store.lie({ objects: page, more: rest.length > count });
    },
    async head(key) {
      asked.push(`head ${key}`);
      if (!mayRead) throw new StoreError('denied', 'This role may not read.');
      return objects.get(key);
    },
    get: () => Promise.reject(new StoreError('denied', 'Moving never reads.')),
    close: () => Promise.resolve(),
  };
  return store;
}

/** What every caller of a store needs beside it; tries again without waiting. */
export function portsFor(store: Store): {
  readonly store: Store;
  readonly retry: Retrier;
  readonly signal: AbortSignal;
  readonly onListing: () => void;
} {
  const retry = createRetrier({ clock: createFakeClock({ runsAlong: true }), budget: createRetryBudget() });
  return { store, retry, signal: new AbortController().signal, onListing: () => {} };
}
