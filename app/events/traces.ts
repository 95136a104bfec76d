// The traces of a day's records, read back: to know which ids were seen, and to count what changed between two pulls.
import { closeSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Member } from '../core/seal.ts';
import type { Store } from '../core/store.ts';
import { TRACE_BYTES, writeMd5, writeSha256 } from './seen.ts';

export interface Trace {
  /** 16 bytes. */
  readonly id: Buffer;
  /** 8 bytes. */
  readonly line: Buffer;
}

const READ_RECORDS = 8_192;

/** Every trace of a file, in order. The buffers are the caller's only until the next one. */
export function* readTraces(path: string): Generator<Trace> {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(READ_RECORDS * TRACE_BYTES);
    for (let offset = 0; ; ) {
      const length = readSync(descriptor, buffer, 0, buffer.length, offset);
      if (length < TRACE_BYTES) return;
      const whole = length - (length % TRACE_BYTES);
      for (let at = 0; at < whole; at += TRACE_BYTES)
        yield { id: buffer.subarray(at, at + 16), line: buffer.subarray(at + 16, at + TRACE_BYTES) };
      offset += whole;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** What differs between two pulls of a day, by id. */
export interface Changes {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** Ids, and ids with their contents, as sorted numbers: 16 bytes a record. */
export interface Sorted {
  readonly ids: BigUint64Array;
  readonly pairs: BigUint64Array;
}

export interface TraceTable {
  add(trace: Trace): void;
  sorted(): Sorted;
}

export function createTraceTable(): TraceTable {
  let ids = new BigUint64Array(1_024);
  let pairs = new BigUint64Array(1_024);
  let count = 0;
  const grown = (from: BigUint64Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> => {
    const larger = new BigUint64Array(from.length * 2);
    larger.set(from);
    return larger;
  };
  return {
    add({ id, line }) {
      if (count === ids.length) {
        ids = grown(ids);
        pairs = grown(pairs);
      }
      ids[count] = id.readBigUInt64LE(0);
      pairs[count] = id.readBigUInt64LE(0) ^ line.readBigUInt64LE(0);
      count += 1;
    },
    sorted: () => ({ ids: ids.slice(0, count).sort(), pairs: pairs.slice(0, count).sort() }),
  };
}

export function countChanges(before: Sorted, after: Sorted): Changes {
  const sameIds = common(before.ids, after.ids);
  const samePairs = common(before.pairs, after.pairs);
  return {
    added: after.ids.length - sameIds,
    removed: before.ids.length - sameIds,
    changed: sameIds - samePairs,
  };
}

function common(a: BigUint64Array, b: BigUint64Array): number {
  let count = 0;
  for (let left = 0, right = 0; left < a.length && right < b.length; ) {
    const [x = 0n, y = 0n] = [a[left], b[right]];
    if (x === y) count += 1;
    if (x <= y) left += 1;
    if (y <= x) right += 1;
  }
  return count;
}

/** The traces of sealed parts; for roles that may read. @param idOf a stored line's id, undefined where it has none */
export async function readSealedTraces(
  store: Pick<Store, 'get'>,
  set: string,
  members: readonly Member[],
  idOf: (line: string) => string | undefined,
  signal: AbortSignal | undefined,
): Promise<Sorted> {
  const table = createTraceTable();
  const digests = Buffer.alloc(32);
  const trace = { id: Buffer.alloc(16), line: Buffer.alloc(8) };
  for (const { key } of members) {
    const source = Readable.from(await store.get(set + key, signal));
    const gunzip = createGunzip();
    source.on('error', (error) => gunzip.destroy(error));
    const lines = createInterface({ input: source.pipe(gunzip), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      writeSha256(line, digests, 0);
      digests.copy(trace.line, 0, 0, 8);
      const id = idOf(line);
      if (id === undefined) digests.copy(trace.id, 0, 0, 16);
      else writeMd5(id, trace.id, 0);
      table.add(trace);
    }
  }
  return table.sorted();
}
