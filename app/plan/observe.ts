// What a real directory tells of its writer: rates by hour, sizes, bursts, from the files' times and sizes alone. Takes
// one file at a time and keeps minutes, not files, so that a million of them cost no more memory than a thousand.
import { formatDuration } from '../core/units.ts';
import { burstSize, MINUTE_MS, type Minute, studyMinutes } from './bursts.ts';
import { bytes, number, roundUp } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { HOUR_MS } from './measured.ts';

export interface Observation {
  readonly files: number;
  /** Content, and whole blocks. */
  readonly bytes: number;
  readonly allocatedBytes: number;
  /** From the first to the last minute in which a file last changed; 0 without files. */
  readonly spanMs: number;
  /** Files per hour of the clock (UTC), oldest first; the last 168. */
  readonly hours: readonly { readonly startMs: number; readonly files: number }[];
  /** Outside of bursts. */
  readonly steadyFiles: number;
  readonly averageRate: number;
  /** Of the busiest sixty minutes. */
  readonly busiestRate: number;
  readonly sizes: {
    readonly averageBytes: number;
    readonly medianUpToBytes: number;
    readonly p99UpToBytes: number;
    readonly maxBytes: number;
  };
  readonly bursts: { readonly count: number; readonly largestFiles: number; readonly averageBytes: number };
  /** Files that are older than what is looked at, or from the future: counted, not planned from. */
  readonly outsideFiles: number;
}

export interface Observer {
  /** `pathLength` is the length of the path below the directory. */
  add(file: { readonly mtimeMs: number; readonly sizeBytes: number; readonly pathLength: number }): void;
  result(): Observation;
  /** What a plan takes from it, for this length of a shift. */
  inputs(shiftMs: number): Partial<PlanInputs>;
}

/** Four weeks; twice as many are held before the oldest are let go. */
const MINUTES_KEPT = 28 * 1_440;
const HOURS_SHOWN = 168;
/** A clock that is a little ahead is no error. */
const AHEAD_MS = 10 * MINUTE_MS;

export function createObserver(options: {
  readonly blockSizeBytes: number;
  readonly nowMs: number;
}): Observer {
  const { blockSizeBytes, nowMs } = options;
  const minutes = new Map<number, Minute>();
  const sizeClasses = new Float64Array(64);
  const total = { files: 0, bytes: 0, allocated: 0, pathLength: 0, outside: 0, max: 0 };
  let oldestKept = Number.NEGATIVE_INFINITY;

  const letGo = (): void => {
    const order = [...minutes.keys()].sort((a, b) => a - b);
    for (const minute of order.slice(0, order.length - MINUTES_KEPT)) {
      total.outside += minutes.get(minute)?.files ?? 0;
      minutes.delete(minute);
      oldestKept = minute + 1;
    }
  };

  const study = () => studyMinutes(minutes);

  return {
    add({ mtimeMs, sizeBytes, pathLength }) {
      const allocated = roundUp(sizeBytes, blockSizeBytes);
      total.files += 1;
      total.bytes += sizeBytes;
      total.allocated += allocated;
      total.pathLength += pathLength;
      total.max = Math.max(total.max, sizeBytes);
      const sizeClass = sizeBytes <= 1 ? 0 : Math.ceil(Math.log2(sizeBytes));
      sizeClasses[sizeClass] = (sizeClasses[sizeClass] ?? 0) + 1;
      const minute = Math.floor(mtimeMs / MINUTE_MS);
      if (!(minute >= oldestKept) || mtimeMs > nowMs + AHEAD_MS) {
        total.outside += 1;
        return;
      }
      const held = minutes.get(minute);
      if (held) {
        held.files += 1;
        held.bytes += sizeBytes;
        held.allocated += allocated;
        return;
      }
      minutes.set(minute, { files: 1, bytes: sizeBytes, allocated });
      if (minutes.size > 2 * MINUTES_KEPT) letGo();
    },
    result() {
      const { spanMs, steady, averageRate, busiestRate, bursts } = study();
      return {
        files: total.files,
        bytes: total.bytes,
        allocatedBytes: total.allocated,
        spanMs,
        hours: hoursOf(minutes),
        steadyFiles: steady.files,
        averageRate,
        busiestRate,
        sizes: {
          averageBytes: total.files === 0 ? 0 : total.bytes / total.files,
          medianUpToBytes: Math.min(total.max, quantile(sizeClasses, total.files * 0.5)),
          p99UpToBytes: Math.min(total.max, quantile(sizeClasses, total.files * 0.99)),
          maxBytes: total.max,
        },
        bursts: {
          count: bursts.length,
          largestFiles: Math.max(0, ...bursts.map(({ files }) => files)),
          averageBytes: burstSize(bursts),
        },
        outsideFiles: total.outside,
      };
    },
    inputs(shiftMs) {
      const { spanMs, steady, busiestRate, bursts } = study();
      const sizeBytes = Math.max(
        1,
        Math.ceil(steady.files > 0 ? steady.bytes / steady.files : burstSize(bursts)),
      );
      const largest = Math.max(0, ...bursts.map(({ files }) => files));
      return {
        rate: Math.ceil(busiestRate * 1_000) / 1_000,
        sizeBytes,
        ...(steady.files > 0
          ? { allocatedBytes: Math.max(1, Math.ceil(steady.allocated / steady.files)) }
          : {}),
        burst: largest,
        burstSizeBytes: largest === 0 ? sizeBytes : Math.max(1, Math.ceil(burstSize(bursts))),
        starts: Math.max(1, Math.ceil((bursts.length * shiftMs) / Math.max(spanMs, shiftMs))),
        pathLength: Math.max(1, Math.ceil(total.pathLength / Math.max(1, total.files))),
      };
    },
  };
}

/** Sentences for people: what was seen. */
export function observationText(seen: Observation): string {
  const { sizes, bursts } = seen;
  const span = formatDuration(seen.spanMs) || '0s';
  const lines = [
    `${number(seen.files)} files, ${bytes(seen.bytes)} in ${bytes(seen.allocatedBytes)} of blocks, last changed within ${span}`,
    `sizes: ${bytes(Math.ceil(sizes.averageBytes))} on average, half of them up to ${bytes(sizes.medianUpToBytes)}, 99 % up to ${bytes(sizes.p99UpToBytes)}, the largest ${bytes(sizes.maxBytes)}`,
    `outside of bursts: ${number(seen.averageRate)} files/s on average, ${number(seen.busiestRate)} files/s in the busiest hour, for which the plan is made`,
    bursts.count === 0
      ? 'bursts: none'
      : `bursts: ${number(bursts.count)}, the largest of ${number(bursts.largestFiles)} files; a file has ${bytes(Math.ceil(bursts.averageBytes))}`,
  ];
  if (seen.outsideFiles > 0)
    lines.push(
      `${number(seen.outsideFiles)} files are older than four weeks of minutes or from the future; rates leave them out`,
    );
  const hours = seen.hours
    .slice(-24)
    .map(
      ({ startMs, files }) =>
        `${new Date(startMs).toISOString().slice(0, 13).replace('T', ' ')}h ${number(files)}`,
    );
  if (hours.length > 0) lines.push(`files by hour (UTC): ${hours.join(', ')}`);
  return lines.map((line) => `  ${line}\n`).join('');
}

function hoursOf(minutes: ReadonlyMap<number, Minute>) {
  const hours = new Map<number, number>();
  for (const [minute, { files }] of minutes) {
    const startMs = Math.floor((minute * MINUTE_MS) / HOUR_MS) * HOUR_MS;
    hours.set(startMs, (hours.get(startMs) ?? 0) + files);
  }
  return [...hours]
    .sort(([a], [b]) => a - b)
    .slice(-HOURS_SHOWN)
    .map(([startMs, files]) => ({ startMs, files }));
}

/** The upper end of the power of two in which the n-th smallest size lies. */
function quantile(sizeClasses: Float64Array, rank: number): number {
  let seen = 0;
  for (const [sizeClass, count] of sizeClasses.entries()) {
    seen += count;
    if (count > 0 && seen >= rank) return 2 ** sizeClass;
  }
  return 0;
}
