// How full a volume is: bytes and inodes against a limit, how fast they grow, when they run out, and how much to free.
import { statfsSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { errnoOf, FerryError } from './errors.ts';

/** Shares of the limit, 0..1, with low < high < critical. Freeing starts at high and goes on to low. */
export interface Watermarks {
  readonly lowWatermark: number;
  readonly highWatermark: number;
  readonly criticalWatermark: number;
}

export type DiskLevel = 'ok' | 'high' | 'critical';

/** One look at the volume. Bytes are allocated blocks; a limit is Infinity where the file system names none. */
export interface DiskReading {
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly usedInodes: number;
  readonly limitInodes: number;
  /** Smoothed, may be negative. */
  readonly growthBytesPerSecond: number;
  /** Until bytes or inodes run out at the present growth; undefined when the volume does not fill. */
  readonly fullInMs: number | undefined;
  readonly level: DiskLevel;
}

/** What the file system says of itself: `statfs` in units that need no further arithmetic. */
export interface VolumeStats {
  readonly sizeBytes: number;
  readonly freeBytes: number;
  /** Free for a user without privileges: less than `freeBytes` by what is reserved for root. */
  readonly availableBytes: number;
  /** 0 where the file system makes inodes as needed (btrfs, some network file systems). */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** What a file costs on disk: a 1 KB file costs 4 KiB on most file systems, a sparse one less than its size. */
export function allocatedBytes(stat: { readonly blocks: number }): number {
  // st_blocks counts units of 512 bytes whatever the file system's block size (POSIX stat.h).
  return stat.blocks * 512;
}

/** What a file of this size occupies on most file systems: whole blocks of 4 KiB. An estimate where only a size is known. */
export function wholeBlocks(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4_096) * 4_096;
}

/** Asks the file system that holds `directory`. Throws a Node system error. */
export function readVolume(directory: string): VolumeStats {
  const stats = statfsSync(directory);
  return {
    sizeBytes: stats.blocks * stats.bsize,
    freeBytes: stats.bfree * stats.bsize,
    availableBytes: stats.bavail * stats.bsize,
    inodes: stats.files,
    freeInodes: stats.ffree,
  };
}

/** What a user without privileges can fill, what is used included: the size `df` reckons with. */
export function usableBytes({ sizeBytes, freeBytes, availableBytes }: VolumeStats): number {
  return sizeBytes - freeBytes + availableBytes;
}

/** Growth is averaged over this time: shorter jumps with every burst, longer sees a runaway writer too late. */
const GROWTH_WINDOW_MS = 5 * 60_000;
/** A time to full must also hold over this shorter time: a burst is over sooner than the long average forgets it. */
const PRESENT_WINDOW_MS = 30_000;
/** A rate from less than this is a guess. */
const GROWTH_SEEN_MS = 60_000;
/** A volume that needs longer than this to fill does not fill. */
const FULL_HORIZON_MS = 365 * 86_400_000;

interface Growth {
  /** Adds one look; answers units per second, 0 until the second look. */
  add(atMs: number, used: number): number;
}

/** An average weighted by age and corrected for its youth: a constant growth is read right from the second look on. */
function createGrowth(windowMs: number): Growth {
  let last: { atMs: number; used: number } | undefined;
  let sum = 0;
  let weight = 0;
  return {
    add(atMs, used) {
      if (last === undefined) {
        last = { atMs, used };
        return 0;
      }
      const elapsedMs = atMs - last.atMs;
      // A clock that stands still or steps back gives no rate; the next look measures from the same point.
      if (elapsedMs > 0) {
        const fading = Math.exp(-elapsedMs / windowMs);
        sum = sum * fading + ((used - last.used) / (elapsedMs / 1_000)) * (1 - fading);
        weight = weight * fading + (1 - fading);
        last = { atMs, used };
      } else if (elapsedMs < 0) last = { atMs, used };
      return weight === 0 ? 0 : sum / weight;
    },
  };
}

/** Where a used share stands. Once high it stays high until the low watermark, so freeing does not stop halfway. */
export function diskLevel(share: number, watermarks: Watermarks, before: DiskLevel): DiskLevel {
  if (share >= watermarks.criticalWatermark) return 'critical';
  if (share >= watermarks.highWatermark) return 'high';
  return before !== 'ok' && share > watermarks.lowWatermark ? 'high' : 'ok';
}

/** Milliseconds until `used` reaches `limit` at this growth; undefined when it never does. */
export function timeToFullMs(used: number, limit: number, growthPerSecond: number): number | undefined {
  if (used >= limit) return 0;
  if (growthPerSecond <= 0) return undefined;
  const ms = ((limit - used) / growthPerSecond) * 1_000;
  return ms <= FULL_HORIZON_MS ? ms : undefined;
}

/** Bytes to free now so that the low watermark is reached; 0 while the level is ok. */
export function bytesToFree(reading: DiskReading, watermarks: Watermarks): number {
  return excess(reading.level, reading.usedBytes, reading.limitBytes, watermarks);
}

/** The same in inodes: small files use these up first. Free until both are satisfied. */
export function inodesToFree(reading: DiskReading, watermarks: Watermarks): number {
  return excess(reading.level, reading.usedInodes, reading.limitInodes, watermarks);
}

/** A volume without any room is full, though nothing is on it. */
function shareOf(used: number, limit: number): number {
  return limit > 0 ? used / limit : 1;
}

function excess(level: DiskLevel, used: number, limit: number, watermarks: Watermarks): number {
  if (level === 'ok' || !Number.isFinite(limit)) return 0;
  return Math.max(0, Math.ceil(used - limit * watermarks.lowWatermark));
}

export interface DiskMeter {
  /**
   * Takes one look. `usedBytes` (allocated) and `usedInodes` are what the source holds; they count when a limit is
   * set, otherwise the whole file system does. Throws FerryError('source') when the file system cannot be asked.
   */
  record(usedBytes: number, usedInodes: number): DiskReading;
}

export interface DiskMeterOptions {
  /** The volume's limit; undefined: the file system that holds `directory` is the limit. */
  readonly limitBytes: number | undefined;
  readonly directory: string;
  readonly clock: Clock;
  readonly watermarks: Watermarks;
  /** Default: `readVolume`. */
  readonly volume?: (directory: string) => VolumeStats;
}

/** Answers growth per second, and the lower of it and the present one, which is what fills the volume. */
function createFilling() {
  const long = createGrowth(GROWTH_WINDOW_MS);
  const present = createGrowth(PRESENT_WINDOW_MS);
  return (atMs: number, used: number): { growth: number; filling: number } => {
    const growth = long.add(atMs, used);
    return { growth, filling: Math.min(growth, present.add(atMs, used)) };
  };
}

/** A meter that remembers earlier looks to tell growth. */
export function createDiskMeter(options: DiskMeterOptions): DiskMeter {
  const { limitBytes, directory, clock, watermarks, volume = readVolume } = options;
  const bytesOf = createFilling();
  const inodesOf = createFilling();
  let level: DiskLevel = 'ok';
  let startedMs: number | undefined;
  return {
    record(sourceBytes, sourceInodes) {
      const used = measure(ask(volume, directory), limitBytes, sourceBytes, sourceInodes);
      const atMs = clock.now();
      const bytes = bytesOf(atMs, used.usedBytes);
      const inodes = inodesOf(atMs, used.usedInodes);
      const share = Math.max(
        shareOf(used.usedBytes, used.limitBytes),
        shareOf(used.usedInodes, used.limitInodes),
      );
      level = diskLevel(share, watermarks, level);
      const bytesFullMs = timeToFullMs(used.usedBytes, used.limitBytes, bytes.filling);
      const inodesFullMs = timeToFullMs(used.usedInodes, used.limitInodes, inodes.filling);
      startedMs ??= atMs;
      const isSeen = atMs - startedMs >= GROWTH_SEEN_MS || share >= 1;
      const fullInMs = isSeen ? Math.min(bytesFullMs ?? Infinity, inodesFullMs ?? Infinity) : Infinity;
      return {
        ...used,
        growthBytesPerSecond: bytes.growth,
        fullInMs: Number.isFinite(fullInMs) ? fullInMs : undefined,
        level,
      };
    },
  };
}

/**
 * With a limit the source is measured against it, and against the room the file system really has left, which may be
 * less (a node's disk shared with others). Without one the whole file system is measured, as `df` does.
 */
function measure(
  volume: VolumeStats,
  limitBytes: number | undefined,
  sourceBytes: number,
  sourceInodes: number,
) {
  const usedInodes = limitBytes === undefined ? volume.inodes - volume.freeInodes : sourceInodes;
  const limitInodes = volume.inodes === 0 ? Infinity : usedInodes + volume.freeInodes;
  if (limitBytes === undefined) {
    const usedBytes = volume.sizeBytes - volume.freeBytes;
    return { usedBytes, limitBytes: usableBytes(volume), usedInodes, limitInodes };
  }
  const roomBytes = sourceBytes + volume.availableBytes;
  return {
    usedBytes: sourceBytes,
    limitBytes: Math.min(limitBytes, roomBytes),
    usedInodes,
    limitInodes,
  };
}

function ask(volume: (directory: string) => VolumeStats, directory: string): VolumeStats {
  try {
    return volume(directory);
  } catch (error) {
    throw new FerryError(
      'source',
      `The file system of ${directory} cannot be asked for its size (${errnoOf(error) ?? 'unknown error'}).`,
      'Check that the directory exists and is mounted; `ferry doctor --source` names what is wrong with it.',
      { cause: error },
    );
  }
}
