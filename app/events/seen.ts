// What a day's records were, in flat memory: which ids have been seen, and a checksum of all contents whatever their order.
import { hash } from 'node:crypto';

/** Bytes kept of each record: 16 of the id's MD5, 8 of the line's SHA-256. */
export const TRACE_BYTES = 24;
const ID_WORDS = 4;

/** 128 bits of ids in an open-addressing table: 32 bytes for each at most, two of a million collide once in 10^26. */
export interface SeenIds {
  readonly size: number;
  /** False when the id was there already. `digest`: 16 bytes. */
  add(digest: Buffer): boolean;
}

export function createSeenIds(): SeenIds {
  let capacity = 1_024;
  let table = new Uint32Array(capacity * ID_WORDS);
  let size = 0;

  /** Where these words stand, or the free place for them. All zeros mean free. */
  const place = (into: Uint32Array, slots: number, a: number, b: number, c: number, d: number): number => {
    for (let slot = a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * ID_WORDS;
      const isFree = into[at] === 0 && into[at + 1] === 0 && into[at + 2] === 0 && into[at + 3] === 0;
      const isSame = into[at] === a && into[at + 1] === b && into[at + 2] === c && into[at + 3] === d;
      if (isFree || isSame) return at;
    }
  };
  const insert = (into: Uint32Array, slots: number, a: number, b: number, c: number, d: number): boolean => {
    const at = place(into, slots, a, b, c, d);
    if (into[at] === a && into[at + 1] === b && into[at + 2] === c && into[at + 3] === d) return false;
    into[at] = a;
    into[at + 1] = b;
    into[at + 2] = c;
    into[at + 3] = d;
    return true;
  };
  const grow = (): void => {
    const slots = capacity * 2;
    const larger = new Uint32Array(slots * ID_WORDS);
    for (let at = 0; at < table.length; at += ID_WORDS) {
      const [a = 0, b = 0, c = 0, d = 0] = table.subarray(at, at + ID_WORDS);
      if ((a | b | c | d) !== 0) insert(larger, slots, a, b, c, d);
    }
    capacity = slots;
    table = larger;
  };

  return {
    get size() {
      return size;
    },
    add(digest) {
      if (size * 2 >= capacity) grow();
      const isNew = insert(
        table,
        capacity,
        digest.readUInt32LE(0),
        digest.readUInt32LE(4),
        digest.readUInt32LE(8),
        // Never all zeros, which would mean free.
        (digest.readUInt32LE(12) | 1) >>> 0,
      );
      if (isNew) size += 1;
      return isNew;
    },
  };
}

export const md5 = (text: string): Buffer => hash('md5', text, 'buffer');
export const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * A checksum of many lines whatever their order: the sum of their SHA-256s modulo 2^256. Two days with the same lines have
 * the same one, however the API sorted them.
 */
export interface ContentSum {
  add(lineSha256: Buffer): void;
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
