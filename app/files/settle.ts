// Settling: a file is complete when it stood still over two looks and a minimum age.
import type { FileStat, FoundFile } from './walk.ts';

export function sameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;
}

/** The state without ctime, which a rename, a chmod or another hard link moves. */
export function sameButCtime(a: FileStat, b: FileStat): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** When a file reached this disk in its present state: its own mtime may be older (a copy that kept its time). */
export function arrivedMs(stat: FileStat): number {
  return Math.max(stat.mtimeMs, stat.ctimeMs);
}

/**
 * When a second look may call the file complete, wall clock in milliseconds. A file that was last touched long ago is
 * due at once; one whose times lie in the future (a clock was set back) is watched for the whole settle time from now.
 */
export function settledAtMs(stat: FileStat, lookedAtMs: number, settleMs: number): number {
  const arrived = arrivedMs(stat);
  return (arrived > lookedAtMs ? lookedAtMs : arrived) + settleMs;
}

/** Files seen once and still too young. Bounded: what does not fit is met again by the next walk. */
export interface Settling {
  readonly size: number;
  /** Returns false when there is no room. A file already watched keeps its place. */
  watch(file: FoundFile, nowMs: number): boolean;
  has(path: string): boolean;
  /** Forgets a file that vanished or was handed on. */
  drop(path: string): void;
  /** Files whose time has come, at most so many, removed from here; each needs its second look now. */
  due(nowMs: number, atMost?: number): FoundFile[];
  /** The earliest due time; undefined when nothing is watched. */
  nextDueMs(): number | undefined;
  oldestArrivalMs(): number | undefined;
  /** All that are watched. */
  files(): Iterable<FoundFile>;
}

export function createSettling(settleMs: number, capacity = 20_000): Settling {
  const watched = new Map<string, { file: FoundFile; dueMs: number }>();
  let nextDue: number | undefined;
  return {
    get size() {
      return watched.size;
    },
    watch(file, nowMs) {
      const known = watched.get(file.path);
      if (!known && watched.size >= capacity) return false;
      let dueMs = settledAtMs(file.stat, nowMs, settleMs);
      // A clock set back must not keep it here for as long as it was set back.
      if (known && sameStat(known.file.stat, file.stat)) dueMs = Math.min(dueMs, known.dueMs);
      watched.set(file.path, { file, dueMs });
      if (nextDue === undefined || dueMs < nextDue) nextDue = dueMs;
      return true;
    },
    has: (path) => watched.has(path),
    drop(path) {
      watched.delete(path);
    },
    due(nowMs, atMost = Number.POSITIVE_INFINITY) {
      if (nextDue === undefined || nextDue > nowMs || atMost <= 0) return [];
      const ready: FoundFile[] = [];
      nextDue = undefined;
      for (const [path, entry] of watched) {
        if (entry.dueMs <= nowMs && ready.length < atMost) {
          ready.push(entry.file);
          watched.delete(path);
        } else if (nextDue === undefined || entry.dueMs < nextDue) nextDue = entry.dueMs;
      }
      return ready;
    },
    nextDueMs: () => (watched.size === 0 ? undefined : nextDue),
    oldestArrivalMs() {
      let oldest: number | undefined;
      for (const { file } of watched.values()) {
        const arrived = arrivedMs(file.stat);
        if (oldest === undefined || arrived < oldest) oldest = arrived;
      }
      return oldest;
    },
    *files() {
      for (const { file } of watched.values()) yield file;
    },
  };
}
