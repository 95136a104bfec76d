// Which files the ledger knows in which state, in eight bytes a slot: a walk over half a million retained files asks
// this table instead of half a million rows (0.2 us instead of 2.5 to 6 each), and a file that is new costs no query at
// all.
import type { BytePath } from '../paths.ts';
import type { FileStat } from '../walk.ts';

/** `same`: known in this very state. `absent`: not known in this state. `unsure`: ask the ledger. */
export type Knowledge = 'same' | 'same-proved' | 'absent' | 'unsure';

export interface KnownFiles {
  look(path: BytePath, stat: FileStat): Knowledge;
  /** False: the ledger has no such row. True: it may have. */
  mayHave(path: BytePath): boolean;
  /** A file that was entered in another state must be deleted in that state first. */
  set(path: BytePath, stat: FileStat, proved: boolean): void;
  delete(path: BytePath, stat: FileStat): void;
  /** Every row of the ledger was entered; until then what is not found is `unsure`. */
  complete(): void;
  /** What is not found is absent. */
  readonly isComplete: boolean;
  /** Hardly another file can be entered. */
  readonly isFull: boolean;
}

/**
 * 4.75 MiB, which hold 540,000 files: half a day of twelve a second. Of more the rest is asked of the ledger, 2.5 to 6 us
 * each, as is every file that is new: memory is the same for one million files and for ten.
 */
const MAX_SLOTS = 19 * 2 ** 15;
/**
 * The table is cut by the hash's first bits, and each shard grows by itself and by a quarter, where it lies: 9 to 11
 * bytes for each file. What no shard has reached yet is address space and no memory. Shards in arrays of their own left
 * the arrays they grew out of behind, 5 MiB for half a million files.
 */
const SHARD_BITS = 6;
const SHARDS = 2 ** SHARD_BITS;
const PLACE_BITS = 32 - SHARD_BITS;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
const MIN_SLOTS = 8;
const GROWTH = 1.25;
/** A known file is then found in its sixth slot as a mean, a new one known to be new at the fiftieth: 0.1 us. */
const LOAD = 0.9;
/** Of all that can be entered: by then a fifth of the shards are full. */
const FULL = 0.99;
const WORDS = 2;

/**
 * The first slots of a shard's stretch of the table, two words each. The first is of the path alone: the bits that tell
 * where it belongs, and six more. The second is of path and state, and its lowest bit says proved; 0 is an empty slot.
 */
interface Shard {
  readonly words: Uint32Array;
  slots: number;
  used: number;
}

/**
 * Of a million files that are new one is taken for known with a chance of 1 in 10^9: 69 bits of hash are compared. A
 * change is overlooked, until the file is freed or changes again, with a chance of 1 in 2^31. A delete never rests on this
 * table.
 */
export function createKnownFiles(maxSlots = MAX_SLOTS): KnownFiles {
  const shardSlots = Math.floor(maxSlots / SHARDS);
  const words = new Uint32Array(SHARDS * shardSlots * WORDS);
  const scratch = new Uint32Array(shardSlots * WORDS);
  const shards = Array.from({ length: SHARDS }, (_, index): Shard => {
    const from = index * shardSlots * WORDS;
    return { words: words.subarray(from, from + shardSlots * WORDS), slots: MIN_SLOTS, used: 0 };
  });
  let complete = false;
  let overflowed = false;
  const hash = createHasher();

  const shardOf = (): Shard => shards[hash.path >>> PLACE_BITS] as Shard; // One for each value of these bits.

  return {
    look(path, stat) {
      hash.of(path, stat);
      const shard = shardOf();
      const entry = shard.words[slotOf(shard, hash.place, hash.state) * WORDS + 1] ?? 0;
      if (entry === 0) return complete && !overflowed ? 'absent' : 'unsure';
      return (entry & 1) === 1 ? 'same-proved' : 'same';
    },
    mayHave(path) {
      if (!complete || overflowed) return true;
      hash.ofPath(path);
      return hasPlace(shardOf(), hash.place);
    },
    set(path, stat, proved) {
      hash.of(path, stat);
      const shard = shardOf();
      if (isLoaded(shard)) grow(shard, scratch);
      const { words } = shard;
      const at = slotOf(shard, hash.place, hash.state) * WORDS;
      if (words[at + 1] === 0) {
        // Full for good: what is not entered is asked of the ledger.
        if (isLoaded(shard)) {
          overflowed = true;
          return;
        }
        shard.used += 1;
        words[at] = hash.place;
      }
      words[at + 1] = hash.state | (proved ? 1 : 0);
    },
    delete(path, stat) {
      hash.of(path, stat);
      remove(shardOf(), hash.place, hash.state);
    },
    complete() {
      complete = true;
    },
    get isComplete() {
      return complete && !overflowed;
    },
    get isFull() {
      const entered = shards.reduce((sum, { used }) => sum + used, 0);
      return entered >= FULL * SHARDS * Math.floor(LOAD * shardSlots);
    },
  };
}

/** Whether another entry would be one too many: an empty slot always remains, at which a search ends. */
const isLoaded = ({ used, slots }: Shard): boolean => used + 1 > slots * LOAD;

/** Where an entry belongs: its place's bits, scaled to the shard's slots. */
const homeOf = (place: number, slots: number): number =>
  Math.floor(((place & PLACE_MASK) * slots) / 2 ** PLACE_BITS);

/** The slot that holds this entry, proved or not, or the empty one where it belongs. */
function slotOf({ words, slots }: Shard, place: number, state: number): number {
  for (let slot = homeOf(place, slots); ; slot = slot + 1 === slots ? 0 : slot + 1) {
    const found = words[slot * WORDS + 1] ?? 0;
    if (found === 0 || (words[slot * WORDS] === place && (found ^ state) >>> 1 === 0)) return slot;
  }
}

/** Whether any state of this path may be here. */
function hasPlace({ words, slots }: Shard, place: number): boolean {
  for (let slot = homeOf(place, slots); ; slot = slot + 1 === slots ? 0 : slot + 1) {
    if (words[slot * WORDS + 1] === 0) return false;
    if (words[slot * WORDS] === place) return true;
  }
}

/** Unless the shard fills its stretch already; `scratch` is as long as that. */
function grow(shard: Shard, scratch: Uint32Array): void {
  const { words, slots } = shard;
  const more = Math.min(Math.ceil(slots * GROWTH), words.length / WORDS);
  if (more <= slots) return;
  const length = slots * WORDS;
  scratch.set(words.subarray(0, length));
  words.fill(0, 0, length);
  shard.slots = more;
  for (let at = 0; at < length; at += WORDS) {
    const [place = 0, state = 0] = [scratch[at], scratch[at + 1]];
    if (state === 0) continue;
    const to = slotOf(shard, place, state) * WORDS;
    words[to] = place;
    words[to + 1] = state;
  }
}

function remove(shard: Shard, place: number, state: number): void {
  const { words, slots } = shard;
  const next = (slot: number): number => (slot + 1 === slots ? 0 : slot + 1);
  const distance = (from: number, to: number): number => (to - from + slots) % slots;
  let hole = slotOf(shard, place, state);
  if (words[hole * WORDS + 1] === 0) return;
  shard.used -= 1;
  // Linear probing: later entries of the same run move up, so that no search ends at the hole.
  for (let slot = next(hole); words[slot * WORDS + 1] !== 0; slot = next(slot)) {
    const home = homeOf(words[slot * WORDS] ?? 0, slots);
    if (distance(home, slot) < distance(hole, slot)) continue;
    words.copyWithin(hole * WORDS, slot * WORDS, slot * WORDS + WORDS);
    hole = slot;
  }
  words.fill(0, hole * WORDS, hole * WORDS + WORDS);
}

/** Multiplicative hashing with two odd constants over UTF-16 units; the state is hashed from the bits of its numbers. */
function createHasher() {
  const numbers = new Float64Array(4);
  const words = new Uint32Array(numbers.buffer);
  const hasher = {
    /** The path's first hash: chooses the shard. */
    path: 0,
    place: 0,
    /** Even and not 0. */
    state: 0,
    /** The path's second hash. @returns it, which only `of` needs */
    ofPath(path: string): number {
      let a = 0x9e3779b1;
      let b = 0x85ebca6b;
      for (let index = 0; index < path.length; index += 1) {
        const unit = path.charCodeAt(index);
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ (unit + index), 0x5bd1e995);
        b ^= b >>> 13;
      }
      a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
      a = Math.imul(a ^ (a >>> 12), 0x297a2d39);
      hasher.path = (a ^ (a >>> 15)) >>> 0;
      b ^= b >>> 16;
      hasher.place = ((b & ~PLACE_MASK) | (hasher.path & PLACE_MASK)) >>> 0;
      return b;
    },
    of(path: string, stat: FileStat): void {
      numbers[0] = stat.size;
      numbers[1] = stat.mtimeMs;
      numbers[2] = stat.ctimeMs;
      numbers[3] = stat.ino;
      let hash = hasher.ofPath(path) ^ 0x27d4eb2f;
      for (const word of words) {
        hash = Math.imul(hash ^ word, 0x85ebca6b);
        hash ^= hash >>> 13;
      }
      hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
      hasher.state = ((hash ^ (hash >>> 16)) & ~1) >>> 0 || 2;
    },
  };
  return hasher;
}
