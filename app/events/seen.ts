// What a day's records were, in flat memory: which ids have been seen, and a checksum of all contents whatever their order.
import { hash } from 'node:crypto';

/** Bytes kept of each record: 16 of the id's MD5 (or of the line's SHA-256 where it has no id), 8 of the line's SHA-256. */
export const TRACE_BYTES = 24;
const ID_WORDS = 3;
/** Each grows by itself: when one is copied, the others are not there twice. */
const SHARDS = 64;
const SHARD_FIRST_SLOTS = 64;
/** A full table is slow to search, an empty one is memory for nothing. */
const MOST_FULL = 0.85;
const GROWTH = 1.25;

/**
 * 96 bits of ids in open-addressing tables: 14 to 18 bytes for each; two of a million are mistaken for one once in 10^17
 * times.
 */
export interface SeenIds {
  readonly size: number;
  /** False when the id was there already. Its digest stands in `from` at `offset`. */
  add(from: Buffer, offset: number): boolean;
}

export function createSeenIds(): SeenIds {
  const shards = Array.from({ length: SHARDS }, createShard);
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(from, offset) {
      // Never all zeros, which would mean a free place.
      const last = (from.readUInt32LE(offset + 8) | 1) >>> 0;
      const shard = shards[from.readUInt8(offset + 12) % SHARDS];
      const isNew = shard?.(from.readUInt32LE(offset), from.readUInt32LE(offset + 4), last) ?? false;
      if (isNew) size += 1;
      return isNew;
    },
  };
}

/** Answers whether the three words were not there yet, and puts them in. */
function createShard(): (a: number, b: number, c: number) => boolean {
  let slots = SHARD_FIRST_SLOTS;
  let table = new Uint32Array(slots * ID_WORDS);
  let size = 0;
  const insert = (a: number, b: number, c: number): boolean => {
    for (let slot = a % slots; ; slot = slot + 1 === slots ? 0 : slot + 1) {
      const at = slot * ID_WORDS;
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c) return false;
      // The third word is odd wherever there is one.
      if (table[at + 2] !== 0) continue;
      table[at] = a;
      table[at + 1] = b;
      table[at + 2] = c;
      return true;
    }
  };
  return (a, b, c) => {
    if (size >= slots * MOST_FULL) {
      const before = table;
      slots = Math.ceil(slots * GROWTH);
      table = new Uint32Array(slots * ID_WORDS);
      for (let at = 0; at < before.length; at += ID_WORDS)
        if (before[at + 2] !== 0) insert(before[at] ?? 0, before[at + 1] ?? 0, before[at + 2] ?? 0);
    }
    const isNew = insert(a, b, c);
    if (isNew) size += 1;
    return isNew;
  };
}

/** Writes an id's digest, 16 bytes. Texts of single bytes on the way: a Buffer for each costs memory outside the heap. */
export function writeMd5(text: string, into: Buffer, offset: number): void {
  into.write(hash('md5', text, 'binary'), offset, 'latin1');
}

/** Writes a line's digest, 32 bytes. */
export function writeSha256(text: string, into: Buffer, offset: number): void {
  into.write(hash('sha256', text, 'binary'), offset, 'latin1');
}

/**
 * A checksum of many lines whatever their order: the sum of their SHA-256s modulo 2^256. Two days with the same lines have
 * the same one, however the API sorted them.
 */
export interface ContentSum {
  /** @param from begins with the line's SHA-256 */
  add(from: Buffer): void;
  hex(): string;
}

/** @param from the hex of an earlier sum to go on from */
export function createContentSum(from = '0'.repeat(64)): ContentSum {
  const bytes = Buffer.from(from, 'hex');
  const words = Uint32Array.from({ length: 8 }, (_, index) => bytes.readUInt32LE(index * 4));
  return {
    add(digest) {
      let carry = 0;
      for (let index = 0; index < 8; index += 1) {
        const sum = (words[index] ?? 0) + digest.readUInt32LE(index * 4) + carry;
        words[index] = sum;
        carry = sum > 0xffff_ffff ? 1 : 0;
      }
    },
    hex() {
      const out = Buffer.alloc(32);
      for (const [index, word] of words.entries()) out.writeUInt32LE(word, index * 4);
      return out.toString('hex');
    },
  };
}
