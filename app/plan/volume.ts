// The shared volume: how many files lie on it, which bytes and inodes they occupy, and the limit that holds them.
import { formatDuration } from '../core/units.ts';
import { bytes, type Figure, figure, number, roundUp } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import {
  DIRECTORY_ENTRY_BYTES,
  DIRECTORY_FILL,
  DIRECTORY_INODES,
  FILE_SYSTEM_USABLE,
  MIB,
  PATROL_CPU_SHARE,
  PROVE_LAG_MS,
  WALK_CPU_S_PER_FILE,
} from './measured.ts';

export interface VolumePlan {
  /** Files of one shift, and the blocks they occupy. */
  readonly shiftFiles: Figure;
  readonly shiftBytes: Figure;
  /** What lies on the volume on a normal day: files within the retention. */
  readonly retainedFiles: Figure;
  readonly retainedBytes: Figure;
  /** What the longest outage adds while nothing can be freed, and what waits then to be sent. */
  readonly outageFiles: Figure;
  readonly outageBytes: Figure;
  /** All of it, with what is not yet freed or proved. */
  readonly peakFiles: Figure;
  readonly peakBytes: Figure;
  /** The emptyDir's `sizeLimit`, in whole MiB: allocated blocks, as the kubelet counts. */
  readonly sizeLimitBytes: Figure;
  /** Inodes the volume must have, at the same watermarks. */
  readonly inodes: Figure;
  /** Size of a file system that offers both; for a volume of the pod's own, the size to claim. */
  readonly fileSystemBytes: Figure;
  /** What needs the larger file system. */
  readonly decidedBy: 'bytes' | 'inodes';
  readonly lowWatermarkBytes: Figure;
  readonly highWatermarkBytes: Figure;
  readonly criticalWatermarkBytes: Figure;
}

/** Files and their allocated bytes that appear within a time, at most: a burst may stand at both of its ends. */
export interface Arrivals {
  readonly rateFiles: number;
  readonly bursts: number;
  readonly files: number;
  readonly bytes: number;
}

export function arrivals(inputs: PlanInputs, spanMs: number): Arrivals {
  const { rate, burst, starts, shiftMs } = inputs;
  const rateFiles = Math.ceil((rate * spanMs) / 1_000);
  const bursts = burst === 0 ? 0 : Math.floor((spanMs * starts) / shiftMs) + 1;
  const [each, eachOfBurst] = [fileBlocks(inputs), burstBlocks(inputs)];
  return {
    rateFiles,
    bursts,
    files: rateFiles + bursts * burst,
    bytes: rateFiles * each + bursts * burst * eachOfBurst,
  };
}

/** A shift has its starts and no other at its end. */
function arrivalsOfShift(inputs: PlanInputs): Arrivals {
  const { rateFiles, bytes: rateBytes } = arrivals({ ...inputs, burst: 0 }, inputs.shiftMs);
  const bursts = inputs.burst === 0 ? 0 : inputs.starts;
  const burstFiles = bursts * inputs.burst;
  return {
    rateFiles,
    bursts,
    files: rateFiles + burstFiles,
    bytes: rateBytes + burstFiles * burstBlocks(inputs),
  };
}

/** Bytes that one file of the steady rate occupies. */
export function fileBlocks({ sizeBytes, allocatedBytes, blockSizeBytes }: PlanInputs): number {
  return allocatedBytes ?? roundUp(sizeBytes, blockSizeBytes);
}

export function burstBlocks({ burstSizeBytes, blockSizeBytes }: PlanInputs): number {
  return roundUp(burstSizeBytes, blockSizeBytes);
}

/** How long a patrol over so many files takes: a new file is met at most that late. */
export function patrolSeconds(files: number): number {
  return (files * WALK_CPU_S_PER_FILE) / PATROL_CPU_SHARE;
}

export function planVolume(inputs: PlanInputs): VolumePlan {
  const { shiftMs, retentionMs, outageMs, blockSizeBytes, inodeRatioBytes, pathLength } = inputs;
  const { lowWatermark: low, highWatermark: high, criticalWatermark: critical } = inputs;
  const shift = arrivalsOfShift(inputs);
  const retained = arrivals(inputs, retentionMs);
  const outage = arrivals(inputs, outageMs);
  const lagMs = PROVE_LAG_MS + patrolSeconds(retained.files + outage.files) * 1_000;
  const lagging = arrivals(inputs, retentionMs + lagMs);
  const entryBytes = Math.ceil((DIRECTORY_ENTRY_BYTES + pathLength) / DIRECTORY_FILL);

  const calmFiles = lagging.files;
  const peakFiles = lagging.files + outage.files;
  const directoryBytes = peakFiles * entryBytes + DIRECTORY_INODES * blockSizeBytes;
  const calmBytes = lagging.bytes + directoryBytes;
  const peakBytes = calmBytes + outage.bytes;

  const forCalm = calmBytes / low;
  const forPeak = peakBytes / critical;
  const sizeLimit = roundUp(Math.max(forCalm, forPeak), MIB);
  const inodes = Math.ceil(Math.max(calmFiles / low, peakFiles / critical)) + DIRECTORY_INODES;
  const [forBytes, forInodes] = [sizeLimit / FILE_SYSTEM_USABLE, inodes * inodeRatioBytes];
  const decidedBy = forInodes > forBytes ? 'inodes' : 'bytes';
  const larger =
    forCalm >= forPeak
      ? `${bytes(calmBytes)} of a normal day fill it to the low watermark, ${number(low * 100)} %; ${bytes(peakBytes)} after an outage would need ${bytes(forPeak)}`
      : `${bytes(peakBytes)} after an outage fill it to the critical watermark, ${number(critical * 100)} %; ${bytes(calmBytes)} of a normal day would need ${bytes(forCalm)}`;
  const mark = (share: number, what: string): Figure =>
    figure(
      Math.floor(sizeLimit * share),
      'bytes',
      `${number(share * 100)} % of ${bytes(sizeLimit)}: ${what}`,
    );

  return {
    shiftFiles: figure(shift.files, 'files', countOf(inputs, shift, shiftMs)),
    shiftBytes: figure(shift.bytes, 'bytes', blocksOf(inputs, shift)),
    retainedFiles: figure(retained.files, 'files', countOf(inputs, retained, retentionMs)),
    retainedBytes: figure(retained.bytes, 'bytes', blocksOf(inputs, retained)),
    outageFiles: figure(outage.files, 'files', countOf(inputs, outage, outageMs)),
    outageBytes: figure(outage.bytes, 'bytes', blocksOf(inputs, outage)),
    peakFiles: figure(
      peakFiles,
      'files',
      `${number(calmFiles)} within the retention and ${formatDuration(lagMs)} until they are proved and freed + ${number(outage.files)} of an outage, in which a restarted uploader can free nothing`,
    ),
    peakBytes: figure(
      peakBytes,
      'bytes',
      `${bytes(lagging.bytes)} + ${bytes(outage.bytes)} in files and ${bytes(directoryBytes)} in directories (${entryBytes} B an entry)`,
    ),
    sizeLimitBytes: figure(sizeLimit, 'bytes', larger),
    inodes: figure(
      inodes,
      'inodes',
      `the larger of ${number(calmFiles)} / ${low} and ${number(peakFiles)} / ${critical}, and ${number(DIRECTORY_INODES)} for directories`,
    ),
    fileSystemBytes: figure(
      roundUp(Math.max(forBytes, forInodes), MIB),
      'bytes',
      decidedBy === 'inodes'
        ? `inodes decide: ${number(inodes)} x ${bytes(inodeRatioBytes)} each (${number(retained.files)} retained files alone need ${bytes(retained.files * inodeRatioBytes)}); bytes would need ${bytes(forBytes)}`
        : `bytes decide: ${bytes(sizeLimit)} / ${FILE_SYSTEM_USABLE} that a file system leaves for files; inodes would need ${bytes(forInodes)}`,
    ),
    decidedBy,
    lowWatermarkBytes: mark(low, 'freeing early ends here; a normal day stays below'),
    highWatermarkBytes: mark(high, 'from here the oldest proved files go before their time'),
    criticalWatermarkBytes: mark(critical, 'above it the outage is longer than planned, the loudest alarm'),
  };
}

/** "12 files/s x 12h + 5,000 files x 2 starts". */
function countOf(inputs: PlanInputs, { bursts }: Arrivals, spanMs: number): string {
  const parts: string[] = [];
  const span = formatDuration(spanMs) || '0s';
  if (inputs.rate > 0) parts.push(`${number(inputs.rate)} files/s x ${number(spanMs / 1_000)} s (${span})`);
  if (bursts > 0)
    parts.push(
      `${number(inputs.burst)} files x ${bursts} ${bursts === 1 ? 'start' : `starts within ${span}`}`,
    );
  return parts.join(' + ') || 'none';
}

/** "518,400 files x 4 KiB, because a file of 1 KiB occupies whole blocks of 4 KiB". */
function blocksOf(inputs: PlanInputs, { rateFiles, bursts }: Arrivals): string {
  const { sizeBytes, burstSizeBytes, blockSizeBytes, allocatedBytes, burst } = inputs;
  const because = (size: number, each: number): string =>
    each === size
      ? ''
      : `, because a file of ${bytes(size)} occupies ${each === blockSizeBytes ? `a whole block of ${bytes(each)}` : `whole blocks of ${bytes(blockSizeBytes)}`}`;
  const parts: string[] = [];
  const each = fileBlocks(inputs);
  if (rateFiles > 0)
    parts.push(
      `${number(rateFiles)} files x ${bytes(each)}${allocatedBytes === undefined ? because(sizeBytes, each) : ', as measured'}`,
    );
  if (bursts > 0) {
    const ofBurst = burstBlocks(inputs);
    parts.push(`${number(bursts * burst)} files x ${bytes(ofBurst)}${because(burstSizeBytes, ofBurst)}`);
  }
  return parts.join(' + ') || 'none';
}
