// The last hour in memory: a sample each ten seconds, so that a page that is opened now shows what was before.
import type { FilesSnapshot } from '../files/snapshot.ts';

/** Totals only grow; `backlogFiles` and `diskBytes` are as they stand. */
export interface Sample {
  readonly atMs: number;
  readonly seenFiles: number;
  readonly seenBytes: number;
  readonly movedFiles: number;
  readonly movedBytes: number;
  readonly backlogFiles: number;
  readonly diskBytes: number;
}

export interface History {
  add(sample: Sample): void;
  /** Oldest first. */
  samples(): readonly Sample[];
  /** Files and bytes a second, in and out, between `now` and about a minute before. */
  rates(now: Sample): Rates;
}

export interface Rates {
  readonly inFiles: number;
  readonly inBytes: number;
  readonly outFiles: number;
  readonly outBytes: number;
}

export const SAMPLE_EVERY_MS = 10_000;
const KEPT = 361;
const RATE_OVER_MS = 60_000;

export function createHistory(): History {
  const kept: Sample[] = [];
  return {
    add(sample) {
      kept.push(sample);
      if (kept.length > KEPT) kept.shift();
    },
    samples: () => kept,
    rates(now) {
      const before = kept.find(({ atMs }) => now.atMs - atMs <= RATE_OVER_MS) ?? kept.at(-1);
      const seconds = before ? (now.atMs - before.atMs) / 1_000 : 0;
      if (!before || seconds < 0.5) return { inFiles: 0, inBytes: 0, outFiles: 0, outBytes: 0 };
      const perSecond = (field: Exclude<keyof Sample, 'atMs'>): number =>
        Math.max(0, (now[field] - before[field]) / seconds);
      return {
        inFiles: perSecond('seenFiles'),
        inBytes: perSecond('seenBytes'),
        outFiles: perSecond('movedFiles'),
        outBytes: perSecond('movedBytes'),
      };
    },
  };
}

export function sampleOf({ atMs, total, backlog, disk }: FilesSnapshot): Sample {
  return {
    atMs,
    seenFiles: total.seen.files,
    seenBytes: total.seen.bytes,
    // What was there already arrived all the same.
    movedFiles: total.sent.files + total.deduplicated.files,
    movedBytes: total.sent.bytes + total.deduplicated.bytes,
    backlogFiles: backlog.files,
    diskBytes: disk?.usedBytes ?? 0,
  };
}
