// What the mover counts while it works; `snapshot.ts` says what each number means.
import type { FilesSnapshot, Tally } from './snapshot.ts';

export interface MutableTally extends Tally {
  files: number;
  bytes: number;
}

export type Counters = {
  readonly seen: MutableTally;
  readonly sent: MutableTally;
  readonly deduplicated: MutableTally;
  readonly proved: MutableTally;
  readonly freed: MutableTally;
  readonly freedEarly: MutableTally;
  /** Moved to the spill volume. */
  readonly spilled: MutableTally;
  readonly failures: Map<string, number>;
  conflicts: number;
  /** Allocated bytes of what was freed, estimated from the sizes: the meter's, between two walks. */
  freedDiskBytes: number;
  vanishedObjects: number;
  walks: number;
  listings: number;
  listingFallbacks: number;
  listingFailures: number;
  receiptObjects: number;
  receiptLinesLost: number;
} & FilesSnapshot['total'];

export function createCounters(): Counters {
  const tally = (): MutableTally => ({ files: 0, bytes: 0 });
  return {
    seen: tally(),
    sent: tally(),
    deduplicated: tally(),
    proved: tally(),
    freed: tally(),
    freedEarly: tally(),
    spilled: tally(),
    failures: new Map(),
    conflicts: 0,
    freedDiskBytes: 0,
    vanishedObjects: 0,
    walks: 0,
    listings: 0,
    listingFallbacks: 0,
    listingFailures: 0,
    receiptObjects: 0,
    receiptLinesLost: 0,
  };
}

export function add(tally: MutableTally, bytes: number): void {
  tally.files += 1;
  tally.bytes += bytes;
}

/** The counters as they stand now; they go on counting, the copy does not. */
export function copyCounters(counters: Counters): FilesSnapshot['total'] {
  return {
    ...counters,
    seen: { ...counters.seen },
    sent: { ...counters.sent },
    deduplicated: { ...counters.deduplicated },
    proved: { ...counters.proved },
    freed: { ...counters.freed },
    freedEarly: { ...counters.freedEarly },
    failures: new Map(counters.failures),
  };
}
