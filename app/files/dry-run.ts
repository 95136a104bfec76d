// A store that is asked and never written to: `--dry-run` lives here, so that no part of the mover can forget it.
import { hash } from 'node:crypto';
import { type PutResult, partSizeBytes, type Store } from '../core/store.ts';

/** The same store, whose puts only say what they would have done. */
export function dryRunStore(store: Store, onPut: (key: string, sizeBytes: number) => void): Store {
  return {
    get label() {
      return store.label;
    },
    get etagIsMd5() {
      return store.etagIsMd5;
    },
    mayRead: store.mayRead,
    put(key, body): Promise<PutResult> {
      onPut(key, body.length);
      return Promise.resolve({ outcome: 'created', etag: hash('md5', body, 'hex') });
    },
    putLarge(key, source): Promise<PutResult> {
      const partBytes = partSizeBytes(source.sizeBytes);
      for (let offset = 0; offset < source.sizeBytes; offset += partBytes) {
        source.read(offset, Math.min(partBytes, source.sizeBytes - offset));
      }
      onPut(key, source.sizeBytes);
      return Promise.resolve({ outcome: 'created', etag: '' });
    },
    list: (prefix, after, signal) => store.list(prefix, after, signal),
    head: (key, signal) => store.head(key, signal),
    get: (key, signal) => store.get(key, signal),
    close: () => store.close(),
  };
}
