// What the null S3 remembers: each object's size, MD5 and time, and how a listing shows them.
import { hash } from 'node:crypto';
import { compareKeys } from '../app/core/store.ts';

interface NullObject {
  readonly etag: string;
  readonly size: number;
  readonly putAtMs: number;
}

const PAGE_MAX = 1_000;
/** Above every character a key may hold: what follows a common prefix's last key. */
const LAST = '\u{10ffff}';

/** One bucket; its content is counted and forgotten. */
export function createObjects() {
  const objects = new Map<string, NullObject>();
  let keys: string[] = [];
  let inOrder = true;
  let onlyAscii = true;

  /** New keys are pushed behind the sorted ones: the sort of a list that is mostly in order is cheap. */
  const sortedKeys = (): readonly string[] => {
    if (!inOrder) keys.sort(onlyAscii ? undefined : compareKeys);
    inOrder = true;
    return keys;
  };
  const before = (a: string, b: string): boolean => (onlyAscii ? a < b : compareKeys(a, b) < 0);

  /** The index of the first key that is `>= key`, or `> key`. */
  const find = (sorted: readonly string[], key: string, exclusive: boolean): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = sorted[middle] ?? '';
      if (before(at, key) || (exclusive && at === key)) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    get: (key: string): NullObject | undefined => objects.get(key),
    /** Answers the ETag. */
    put(key: string, body: Buffer): string {
      const etag = hash('md5', body);
      if (!objects.has(key)) {
        if (inOrder && keys.length > 0 && !before(keys.at(-1) ?? '', key)) inOrder = false;
        if (onlyAscii && !/^[\x00-\x7f]*$/.test(key)) {
          onlyAscii = false;
          inOrder = false;
        }
        keys.push(key);
      }
      objects.set(key, { etag, size: body.length, putAtMs: Date.now() });
      return etag;
    },
    clear(): void {
      objects.clear();
      keys = [];
      inOrder = true;
      onlyAscii = true;
    },
    /** How many objects lie below the prefix, and their bytes. */
    stored(prefix: string): { objects: number; bytes: number } {
      let count = 0;
      let bytes = 0;
      for (const [key, object] of objects) {
        // Ferry's receipts tell of what is measured; they are no part of it.
        if (!key.startsWith(prefix) || key.includes('/_receipts/')) continue;
        count += 1;
        bytes += object.size;
      }
      return { objects: count, bytes };
    },
    /** The answer to ListObjectsV2, and to the first version, which names its start `marker`. */
    list(query: URLSearchParams): string {
      const prefix = query.get('prefix') ?? '';
      const delimiter = query.get('delimiter') ?? '';
      const second = query.get('list-type') === '2';
      const token = query.get('continuation-token');
      const after = token
        ? Buffer.from(token, 'base64url').toString()
        : (query.get(second ? 'start-after' : 'marker') ?? '');
      const max = Math.min(PAGE_MAX, Number(query.get('max-keys') ?? PAGE_MAX));
      const asUrl = query.get('encoding-type') === 'url';
      const text = asUrl ? encodeURIComponent : escapeXml;

      const sorted = sortedKeys();
      let at =
        after !== '' && before(prefix, after) ? find(sorted, after, true) : find(sorted, prefix, false);
      let entries = '';
      let count = 0;
      let last = '';
      while (count < max) {
        const key = sorted[at];
        if (key === undefined || !key.startsWith(prefix)) break;
        const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
        if (cut === -1) {
          entries += contents(text(key), objects.get(key));
          last = key;
          at += 1;
        } else {
          const group = key.slice(0, cut + delimiter.length);
          entries += `<CommonPrefixes><Prefix>${text(group)}</Prefix></CommonPrefixes>`;
          last = group + LAST;
          at = find(sorted, last, true);
        }
        count += 1;
      }
      const next = sorted[at];
      const more = max > 0 && next?.startsWith(prefix) === true;
      const follow = second
        ? `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>`
        : `<NextMarker>${text(last)}</NextMarker>`;
      return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `<Name>bench</Name><Prefix>${text(prefix)}</Prefix><MaxKeys>${max}</MaxKeys>` +
        (second ? `<KeyCount>${count}</KeyCount>` : '<Marker></Marker>') +
        (delimiter === '' ? '' : `<Delimiter>${text(delimiter)}</Delimiter>`) +
        (asUrl ? '<EncodingType>url</EncodingType>' : '') +
        `<IsTruncated>${more}</IsTruncated>${more ? follow : ''}${entries}</ListBucketResult>`
      );
    },
  };
}

function contents(keyText: string, object: NullObject | undefined): string {
  return (
    `<Contents><Key>${keyText}</Key><LastModified>${new Date(object?.putAtMs ?? 0).toISOString()}</LastModified>` +
    `<ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.size}</Size>` +
    '<StorageClass>STANDARD</StorageClass></Contents>'
  );
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The content of a body sent with `content-encoding: aws-chunked`. Throws when its frame is broken. */
export function decodeAwsChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = body.indexOf('\r\n', at);
    if (line === -1) throw new Error('an aws-chunked body ends early');
    const size = Number.parseInt(body.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new Error('an aws-chunked body has a chunk without a size');
    if (size === 0) return Buffer.concat(parts);
    if (line + 2 + size + 2 > body.length) throw new Error('an aws-chunked body ends early');
    parts.push(body.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
