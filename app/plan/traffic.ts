// The way to S3: requests, bandwidth on average, in a burst and after an outage, and how long sending takes.
import { formatDuration } from '../core/units.ts';
import { bitRate, bytes, type Figure, figure, number, roundUp } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import {
  BANDWIDTH_MARGIN,
  BURST_WITHIN_S,
  DAY_MS,
  DRAIN_FIXED_S,
  DRAIN_MIN_S,
  DRAIN_WALK_CORES,
  DRAIN_YOUNG_S,
  GRACE_MARGIN_S,
  OBJECTS_PER_LIST,
  PART_BYTES,
  PROVING_PASSES_PER_DAY,
  PUT_OVERHEAD_BYTES,
  WALK_CPU_S_PER_FILE,
} from './measured.ts';
import { type Arrivals, arrivals, patrolSeconds, type VolumePlan } from './volume.ts';

export interface TrafficPlan {
  readonly filesPerDay: Figure;
  /** Content, without what surrounds it on the wire. */
  readonly contentBytesPerDay: Figure;
  readonly putsPerDay: Figure;
  readonly listsPerDay: Figure;
  /** Bandwidth towards S3: all day, within a minute of a start, and after the longest outage. */
  readonly averageBandwidth: Figure;
  readonly burstBandwidth: Figure;
  readonly catchUpBandwidth: Figure;
  /** What to ask the networking team for. */
  readonly neededBandwidth: Figure;
  /** Files a second that must be moved to catch up in time, and that concurrency and latency allow. */
  readonly catchUpRate: Figure;
  readonly uploadRate: Figure;
  /** How long it takes to send what the longest outage left, with new files coming in; Infinity: never. */
  readonly catchUpSeconds: Figure;
  /** `ferry files --drain`, and what the pod's stop takes in all. */
  readonly drainSeconds: Figure;
  readonly gracePeriodSeconds: Figure;
  /** From a normal day's fill until the volume is full, without S3: nothing can be freed, or all that is proved. */
  readonly fullInSeconds: Figure;
  readonly fullFreeingInSeconds: Figure;
}

/** PUTs of one file: one, or the parts of a multipart upload with its begin and end. */
export function putsPerFile(sizeBytes: number): number {
  return sizeBytes <= PART_BYTES ? 1 : Math.ceil(sizeBytes / PART_BYTES) + 2;
}

const wireBytes = (sizeBytes: number): number => sizeBytes + putsPerFile(sizeBytes) * PUT_OVERHEAD_BYTES;

/** Bytes on the wire of what arrives within a time. */
function wireBytesOf(inputs: PlanInputs, { rateFiles, bursts }: Arrivals): number {
  return rateFiles * wireBytes(inputs.sizeBytes) + bursts * inputs.burst * wireBytes(inputs.burstSizeBytes);
}

export function planTraffic(inputs: PlanInputs, volume: VolumePlan): TrafficPlan {
  const { rate, burst, sizeBytes, burstSizeBytes, starts, shiftMs, outageMs, catchUpMs } = inputs;
  const { concurrency, latencyMs, bandwidth } = inputs;
  const burstsPerDay = burst === 0 ? 0 : (DAY_MS / shiftMs) * starts;
  const [rateFilesPerDay, burstFilesPerDay] = [(rate * DAY_MS) / 1_000, burst * burstsPerDay];
  const filesPerDay = Math.ceil(rateFilesPerDay + burstFilesPerDay);
  const puts = Math.ceil(
    rateFilesPerDay * putsPerFile(sizeBytes) + burstFilesPerDay * putsPerFile(burstSizeBytes),
  );
  const perDay = [
    rate > 0 ? `${number(rate)} files/s x 86,400 s` : '',
    burst > 0 ? `${number(burst)} files x ${number(burstsPerDay)} starts` : '',
  ].filter(Boolean);
  const content = rateFilesPerDay * sizeBytes + burstFilesPerDay * burstSizeBytes;

  const averageBits =
    ((rateFilesPerDay * wireBytes(sizeBytes) + burstFilesPerDay * wireBytes(burstSizeBytes)) * 8) / 86_400;
  const steadyBits = rate * wireBytes(sizeBytes) * 8;
  const burstBits = steadyBits + (burst * wireBytes(burstSizeBytes) * 8) / BURST_WITHIN_S;
  const backlog = arrivals(inputs, outageMs);
  const backlogWire = wireBytesOf(inputs, backlog);
  const catchUpS = catchUpMs / 1_000;
  const catchUpBits = (backlogWire * 8) / catchUpS + averageBits;
  const needed = roundUp(Math.max(averageBits, burstBits, catchUpBits) * BANDWIDTH_MARGIN, 1e6);

  const uploadRate = (concurrency * 1_000) / latencyMs;
  const catchUpRate = filesPerDay / 86_400 + backlog.files / catchUpS;
  const sending = sendingSeconds(inputs, backlog.files, backlogWire);
  const busy = Math.max(
    filesPerDay / 86_400 / uploadRate,
    bandwidth === undefined ? 0 : averageBits / bandwidth,
  );
  const catchUpSeconds = busy < 1 ? Math.ceil(sending / (1 - busy)) : Number.POSITIVE_INFINITY;

  const peak = volume.peakFiles.value;
  const unseenS = DRAIN_YOUNG_S + patrolSeconds(peak);
  const walkS = (peak * WALK_CPU_S_PER_FILE) / DRAIN_WALK_CORES;
  const youngFiles = Math.ceil(rate * unseenS) + burst;
  const youngWire = Math.ceil(rate * unseenS) * wireBytes(sizeBytes) + burst * wireBytes(burstSizeBytes);
  const youngS = sendingSeconds(inputs, youngFiles, youngWire);
  const drainNeeded = Math.max(DRAIN_MIN_S, Math.ceil(Math.max(2 * walkS, walkS + DRAIN_FIXED_S + youngS)));
  const drain = inputs.drainMs === undefined ? drainNeeded : Math.ceil(inputs.drainMs / 1_000);
  const stopS = Math.ceil(inputs.writerStopMs / 1_000);
  const drainWhy = `${number(walkS)} s to find them among ${number(peak)} files (at most half of it all) + ${DRAIN_FIXED_S} s to settle and to prove + ${number(youngFiles)} files that a stop may find unsent (${number(unseenS)} s of the rate${burst > 0 ? ' and a burst' : ''}) in ${number(youngS)} s; at least ${DRAIN_MIN_S} s`;

  return {
    filesPerDay: figure(filesPerDay, 'files/day', perDay.join(' + ')),
    contentBytesPerDay: figure(
      Math.ceil(content),
      'bytes',
      contentWhy(inputs, rateFilesPerDay, burstFilesPerDay),
    ),
    putsPerDay: figure(puts, 'requests/day', 'one PUT a file; above 8 MiB one a part and two more'),
    listsPerDay: figure(
      Math.ceil(filesPerDay / OBJECTS_PER_LIST) + PROVING_PASSES_PER_DAY,
      'requests/day',
      `${number(filesPerDay)} / ${OBJECTS_PER_LIST} objects a page + ${number(PROVING_PASSES_PER_DAY)} passes, one a minute`,
    ),
    averageBandwidth: figure(
      Math.ceil(averageBits),
      'bit/s',
      `${number(filesPerDay)} files a day, each with ${bytes(PUT_OVERHEAD_BYTES)} of headers, token and TLS beside its content`,
    ),
    burstBandwidth: figure(
      Math.ceil(burstBits),
      'bit/s',
      burst === 0
        ? 'no burst: the rate alone'
        : `${number(burst)} files x (${bytes(burstSizeBytes)} + ${bytes(PUT_OVERHEAD_BYTES)}) within ${BURST_WITHIN_S} s, and the rate`,
    ),
    catchUpBandwidth: figure(
      Math.ceil(catchUpBits),
      'bit/s',
      `${bytes(backlogWire)} on the wire left by ${formatDuration(outageMs) || '0s'} without S3, within ${formatDuration(catchUpMs)}, beside the average`,
    ),
    neededBandwidth: figure(
      needed,
      'bit/s',
      `the largest of the three, ${bitRate(Math.max(averageBits, burstBits, catchUpBits))}, x ${BANDWIDTH_MARGIN}, in whole Mbit/s`,
    ),
    catchUpRate: figure(
      catchUpRate,
      'files/s',
      `${number(backlog.files)} files of an outage / ${number(catchUpS)} s + ${number(filesPerDay / 86_400)} new ones a second`,
    ),
    uploadRate: figure(
      uploadRate,
      'files/s',
      `${number(concurrency)} uploads in flight / ${number(latencyMs / 1_000)} s each`,
    ),
    catchUpSeconds: figure(
      catchUpSeconds,
      's',
      busy < 1
        ? `${number(backlog.files)} files take ${formatDuration(sending * 1_000)}; new ones use ${number(busy * 100)} % of the way meanwhile`
        : 'new files alone use more than the whole way: it never catches up',
    ),
    drainSeconds: figure(
      drain,
      's',
      inputs.drainMs === undefined ? drainWhy : `as given; needed are ${drainNeeded} s: ${drainWhy}`,
    ),
    gracePeriodSeconds: figure(
      stopS + drain + GRACE_MARGIN_S,
      's',
      `${stopS} s for the writer to end, then ${drain} s to drain, and ${GRACE_MARGIN_S} s to exit`,
    ),
    fullInSeconds: fullIn(
      inputs,
      volume,
      volume.peakBytes.value - volume.outageBytes.value,
      volume.peakFiles.value - volume.outageFiles.value,
    ),
    fullFreeingInSeconds: fullIn(inputs, volume, 0, 0),
  };
}

/** What sending takes by concurrency and, where known, by bandwidth. */
function sendingSeconds(
  { concurrency, latencyMs, bandwidth }: PlanInputs,
  files: number,
  wire: number,
): number {
  return Math.max(
    (files * latencyMs) / 1_000 / concurrency,
    bandwidth === undefined ? 0 : (wire * 8) / bandwidth,
  );
}

/** Until the size limit or the inodes run out when nothing leaves the volume; the first burst comes at once. */
function fullIn(inputs: PlanInputs, volume: VolumePlan, usedBytes: number, usedFiles: number): Figure {
  const roomBytes = volume.sizeLimitBytes.value - usedBytes;
  const roomFiles = volume.inodes.value - usedFiles;
  const first = arrivals(inputs, 0);
  const periodMs = inputs.shiftMs / inputs.starts;
  const inPeriod = arrivals({ ...inputs, burst: 0 }, periodMs);
  const untilMs = (room: number, atOnce: number, inPeriodOfRate: number): number => {
    if (room < atOnce) return 0;
    const periods = Math.floor(room / Math.max(1, inPeriodOfRate + atOnce));
    const rest = room - periods * (inPeriodOfRate + atOnce) - atOnce;
    if (rest < 0) return periods * periodMs;
    return (periods + (inPeriodOfRate === 0 ? 1 : rest / inPeriodOfRate)) * periodMs;
  };
  const byBytes = untilMs(roomBytes, first.bytes, inPeriod.bytes);
  const byFiles = untilMs(roomFiles, first.files, inPeriod.files);
  const ms = Math.min(byBytes, byFiles);
  return figure(
    Math.floor(ms / 1_000),
    's',
    usedBytes === 0
      ? `${bytes(roomBytes)} and ${number(roomFiles)} inodes, when all that is proved can be freed`
      : `${bytes(roomBytes)} and ${number(roomFiles)} inodes are left on a normal day, when nothing can be freed`,
  );
}

function contentWhy(inputs: PlanInputs, rateFiles: number, burstFiles: number): string {
  const parts = [
    rateFiles > 0 ? `${number(rateFiles)} files x ${bytes(inputs.sizeBytes)}` : '',
    burstFiles > 0 ? `${number(burstFiles)} files x ${bytes(inputs.burstSizeBytes)}` : '',
  ];
  return parts.filter(Boolean).join(' + ');
}
