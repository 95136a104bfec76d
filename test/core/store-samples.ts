// What the tests of stores put in and read back: keys of every kind, bodies, large sources, and small helpers.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { StoreError } from '../../app/core/errors.ts';
import {
  type LargeSource,
  partSizeBytes,
  type Store,
  type StoredObject,
  type UploadState,
} from '../../app/core/store.ts';

/** Every one fits a path: nothing is both a file and a directory. */
export const TRICKY_KEYS: readonly string[] = [
  'a b',
  'a  b ',
  ' leading',
  'a+b',
  'a%20b',
  'a%',
  'a&b',
  'a<b>c',
  "it's",
  '"quoted"',
  'a;b=c?d#e',
  'a\\b',
  '*!()[]{}|^`~$,:@',
  'new\nline',
  'tab\there',
  'carriage\rreturn',
  '&amp;',
  'ä/ö/ü.txt',
  'a\u0308.txt',
  '日本/語',
  'emoji 🚢',
  '\u{1F6A2}',
  '\uffe5 below the emoji by bytes',
  '\ue000',
  '\ufffd replacement',
  'a.txt',
  'a-/x',
  'a/b.txt',
  'a/b/c',
  'a0',
  'a.d/x',
  'A',
  'dt=2026-11-20/hh=13/file.json',
  '.hidden',
  '...',
  `${'long'.repeat(60)}/${'name'.repeat(60)}`,
];

const SEGMENT = fc
  .array(
    fc.constantFrom('a', 'b', 'A', '0', '.', '-', ' ', '+', '%', '~', 'é', '\uffe5', '\u{1F6A2}', '😀'),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((units) => units.join(''))
  .filter((segment) => segment !== '.' && segment !== '..');
export const KEY = fc.array(SEGMENT, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));

/** Distinct keys none of which is a directory of another. */
export function withoutParents(keys: readonly string[]): string[] {
  const distinct = [...new Set(keys)];
  return distinct.filter((key) => !distinct.some((other) => other.startsWith(`${key}/`)));
}

export function sourceOf(body: Buffer): LargeSource & { readonly states: UploadState[]; commits: number } {
  return {
    sizeBytes: body.length,
    states: [],
    commits: 0,
    read: (offset, lengthBytes) => Buffer.from(body.subarray(offset, offset + lengthBytes)),
    progress(state) {
      this.states.push(state);
    },
    beforeCommit() {
      this.commits += 1;
    },
  };
}

export function put(store: Store, key: string, body: Buffer): ReturnType<Store['put']> {
  return store.put(key, body, sha256(body));
}

export function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

/** Bytes that look random and are the same for the same seed. */
export function bytes(lengthBytes: number, seed: number): Buffer {
  const block = createHash('sha512').update(`seed ${seed}`).digest();
  const body = Buffer.alloc(lengthBytes, block);
  for (let at = 0; at + 4 <= lengthBytes; at += 65_536) body.writeUInt32LE(at, at);
  return body;
}

export async function content(store: Store, key: string): Promise<Buffer> {
  return collect(await store.get(key));
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** All keys of a listing, page after page, as the store gave them. */
export async function keysOf(store: Store, prefix: string, after: string): Promise<string[]> {
  const objects: StoredObject[] = [];
  for (let last = after; ; last = objects.at(-1)?.key ?? last) {
    const page = await store.list(prefix, last);
    objects.push(...page.objects);
    if (!page.more) return objects.map((object) => object.key);
  }
}

export async function storeError(promise: Promise<unknown>): Promise<StoreError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw new Error('Rejected with something else than a StoreError', { cause: error });
  }
  throw new Error('Did not reject');
}

export function multipartEtag(body: Buffer): string {
  const partBytes = partSizeBytes(body.length);
  const whole = createHash('md5');
  let parts = 0;
  for (let at = 0; at < body.length; at += partBytes) {
    const part = body.subarray(at, at + partBytes);
    whole.update(createHash('md5').update(part).digest());
    parts += 1;
  }
  return `${whole.digest('hex')}-${parts}`;
}

export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function inByteOrder(keys: readonly string[]): string[] {
  return [...keys].sort(compareBytes);
}
