// The objects of the test server's one bucket, and their keys in UTF-8 byte order.
import { randomBytes } from 'node:crypto';
import { Refusal } from './answer.ts';
import type { Checksum } from './body.ts';
import { md5Hex, sha256Hex } from './checksums.ts';

export interface StoredS3Object {
  /** Undefined when the server was told to keep no bodies. */
  readonly body: Buffer | undefined;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly md5Hex: string;
  readonly sha256Hex: string;
  /** The base64 ends in `-<parts>` when it is the checksum of the parts' checksums. */
  readonly checksum: (Checksum & { readonly type: 'FULL_OBJECT' | 'COMPOSITE' }) | undefined;
  readonly lastModifiedMs: number;
  /** How often this key was written; above 1 something was overwritten. */
  readonly puts: number;
  /** Lower-case names without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly serverSideEncryption: string | undefined;
}

export interface NewObject {
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly checksum: StoredS3Object['checksum'];
  readonly metadata: Readonly<Record<string, string>>;
  readonly serverSideEncryption: string | undefined;
  readonly lastModifiedMs: number;
}

export interface ObjectTable {
  readonly map: ReadonlyMap<string, StoredS3Object>;
  /** Throws 412 when `onlyIfAbsent` and the key is taken. */
  store(key: string, object: NewObject, onlyIfAbsent: boolean): StoredS3Object;
  remove(key: string): void;
  /** Up to `limit` keys after `after` that start with the prefix. */
  keys(prefix: string, after: string, limit: number): string[];
}

export function createObjectTable(keepBodies: boolean): ObjectTable {
  const map = new Map<string, StoredS3Object>();
  let sorted: string[] = [];
  let fresh: string[] = [];

  function settle(): void {
    if (fresh.length > 64) {
      sorted = [...new Set([...sorted, ...fresh])].sort();
    } else {
      for (const key of fresh) {
        const at = firstAtLeast(sorted, key);
        if (sorted[at] !== key) sorted.splice(at, 0, key);
      }
    }
    fresh = [];
  }

  return {
    map,
    store(key, object, onlyIfAbsent) {
      const before = map.get(key);
      if (before && onlyIfAbsent) throw preconditionFailed();
      const md5 = md5Hex(object.bytes);
      const encrypted = object.serverSideEncryption === 'aws:kms';
      const stored: StoredS3Object = {
        body: keepBodies ? object.bytes : undefined,
        sizeBytes: object.bytes.length,
        etag: object.etag ?? (encrypted ? randomBytes(16).toString('hex') : md5),
        md5Hex: md5,
        sha256Hex: sha256Hex(object.bytes),
        checksum: object.checksum,
        lastModifiedMs: object.lastModifiedMs,
        puts: (before?.puts ?? 0) + 1,
        metadata: object.metadata,
        serverSideEncryption: object.serverSideEncryption,
      };
      map.set(key, stored);
      if (!before) fresh.push(byteOrder(key));
      return stored;
    },
    remove(key) {
      map.delete(key);
    },
    keys(prefix, after, limit) {
      settle();
      const start = byteOrder(prefix);
      const last = byteOrder(after);
      const page: string[] = [];
      for (let at = firstAtLeast(sorted, start > last ? start : last); page.length < limit; at += 1) {
        const entry = sorted[at];
        if (!entry?.startsWith(start)) break;
        const key = Buffer.from(entry, 'latin1').toString();
        if (entry !== last && map.has(key)) page.push(key);
      }
      return page;
    },
  };
}

export function preconditionFailed(): Refusal {
  return new Refusal(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    { elements: { Condition: 'If-None-Match' } },
  );
}

/** A text whose JavaScript order is the key's UTF-8 byte order: one unit per byte. */
function byteOrder(key: string): string {
  return Buffer.from(key).toString('latin1');
}

function firstAtLeast(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
