// What a plan is made from: what the writer does, what must be survived, and what stands around it.

import { formatDuration } from '../core/units.ts';
import { bytes, number } from './figure.ts';
import { DAY_MS, HOUR_MS, KIB } from './measured.ts';
import { CLASSES, type StorageClass } from './prices.ts';

/**
 * What the shared volume is. `emptyDir`: on the node's disk, over its limit the pod is evicted. `memory`: a tmpfs, full
 * is ENOSPC, counts as the memory of whoever writes. `ephemeral`: a volume claim of the pod's own, full is ENOSPC.
 */
export type VolumeKind = 'emptyDir' | 'memory' | 'ephemeral';
export const VOLUME_KINDS: readonly VolumeKind[] = ['emptyDir', 'memory', 'ephemeral'];

export interface PlanInputs {
  /** Files per second that the writer makes after its start. */
  readonly rate: number;
  /** Average content of such a file. */
  readonly sizeBytes: number;
  /** What a file occupies where it was measured; otherwise its size in whole blocks. */
  readonly allocatedBytes?: number | undefined;
  /** Files that the writer makes at once at each start. */
  readonly burst: number;
  readonly burstSizeBytes: number;
  /** Starts of the writer per shift, evenly spread. */
  readonly starts: number;
  readonly shiftMs: number;
  /** How long a file stays on the volume after its last change. */
  readonly retentionMs: number;
  /** Longest time without S3 in which nothing may get lost, nor evicted. */
  readonly outageMs: number;
  /** Time in which what an outage left behind must be sent. */
  readonly catchUpMs: number;
  /** Bits per second towards S3, when known. */
  readonly bandwidth?: number | undefined;
  /** Uploads in flight (`ferry files --concurrency`) and how long one takes. */
  readonly concurrency: number;
  readonly latencyMs: number;
  /** Average bytes of a file's path below the source. */
  readonly pathLength: number;
  /** Of the volume's file system: a file occupies whole blocks, and there is one inode per so many bytes. */
  readonly blockSizeBytes: number;
  readonly inodeRatioBytes: number;
  /** Shares of the volume: freeing early starts at high and goes down to low; critical is the loudest alarm. */
  readonly lowWatermark: number;
  readonly highWatermark: number;
  readonly criticalWatermark: number;
  /** What the writer takes to end after SIGTERM. */
  readonly writerStopMs: number;
  /** For sending what is left after the writer's end; planned when absent. */
  readonly drainMs?: number | undefined;
  readonly volume: VolumeKind;
  readonly storageClass: StorageClass;
  /** How long objects are kept in the bucket; Infinity is for ever. */
  readonly lifetimeMs: number;
}

const COMMON = {
  starts: 1,
  shiftMs: 12 * HOUR_MS,
  retentionMs: 24 * HOUR_MS,
  outageMs: 4 * HOUR_MS,
  catchUpMs: HOUR_MS,
  concurrency: 16,
  latencyMs: 50,
  pathLength: 40,
  blockSizeBytes: 4 * KIB,
  inodeRatioBytes: 16 * KIB,
  lowWatermark: 0.75,
  highWatermark: 0.85,
  criticalWatermark: 0.95,
  writerStopMs: 30_000,
  volume: 'emptyDir',
  storageClass: 'STANDARD',
  lifetimeMs: 365 * DAY_MS,
} as const satisfies Partial<PlanInputs>;

/** The two known sites. */
export const SITES = {
  /** 12 files a second of 1 KB. */
  small: { ...COMMON, rate: 12, sizeBytes: KIB, burst: 0, burstSizeBytes: KIB },
  /** 5,000 files, 65 MB, at every start; nothing after it. */
  burst: { ...COMMON, rate: 0, sizeBytes: 13_000, burst: 5_000, burstSizeBytes: 13_000 },
} as const satisfies Readonly<Record<string, PlanInputs>>;
export type Site = keyof typeof SITES;
export const SITE_NAMES: readonly Site[] = ['small', 'burst'];

/** A conflict of inputs in terms of their names. */
export interface InputProblem {
  readonly fields: readonly (keyof PlanInputs)[];
  /** What is wrong, a clause without a full stop. */
  readonly wrong: string;
  readonly expected: string;
  readonly remedy: string;
}

const WHOLE: readonly (keyof PlanInputs)[] = [
  'sizeBytes',
  'burstSizeBytes',
  'burst',
  'starts',
  'concurrency',
  'pathLength',
  'blockSizeBytes',
  'inodeRatioBytes',
];
const ABOVE_ZERO: readonly (keyof PlanInputs)[] = [
  'sizeBytes',
  'burstSizeBytes',
  'starts',
  'shiftMs',
  'catchUpMs',
  'concurrency',
  'latencyMs',
  'pathLength',
  'blockSizeBytes',
  'inodeRatioBytes',
  'lifetimeMs',
];
const NOT_BELOW_ZERO: readonly (keyof PlanInputs)[] = [
  'rate',
  'burst',
  'retentionMs',
  'outageMs',
  'writerStopMs',
];

/** Everything that makes these inputs no plan, all at once; empty when there is nothing. */
export function planProblems(inputs: PlanInputs): InputProblem[] {
  const problems: InputProblem[] = [];
  const refuse = (field: keyof PlanInputs, expected: string): void => {
    problems.push({
      fields: [field],
      wrong: `it is ${String(inputs[field])}`,
      expected,
      remedy: `give ${field} ${expected}`,
    });
  };
  const endless = (field: keyof PlanInputs): boolean =>
    field === 'lifetimeMs' && inputs[field] === Number.POSITIVE_INFINITY;
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  for (const field of [...ABOVE_ZERO, ...NOT_BELOW_ZERO]) {
    const value = inputs[field];
    const least = ABOVE_ZERO.includes(field) ? Number.MIN_VALUE : 0;
    if (endless(field)) continue;
    if (!isNumber(value) || value < least)
      refuse(field, least === 0 ? 'a number, 0 or more' : 'a number above 0');
    else if (WHOLE.includes(field) && !Number.isInteger(value)) refuse(field, 'a whole number');
  }
  for (const field of ['allocatedBytes', 'bandwidth'] as const) {
    const value = inputs[field];
    if (value !== undefined && !(isNumber(value) && value > 0)) refuse(field, 'a number above 0, or nothing');
  }
  const { drainMs } = inputs;
  if (drainMs !== undefined && !(isNumber(drainMs) && drainMs >= 0))
    refuse('drainMs', 'a number, 0 or more, or nothing');
  if (!VOLUME_KINDS.includes(inputs.volume)) refuse('volume', `one of ${VOLUME_KINDS.join(', ')}`);
  if (!Object.hasOwn(CLASSES, inputs.storageClass))
    refuse('storageClass', `one of ${Object.keys(CLASSES).join(', ')}`);
  const { lowWatermark: low, highWatermark: high, criticalWatermark: critical } = inputs;
  if (!(low > 0 && low < high && high < critical && critical <= 1))
    problems.push({
      fields: ['lowWatermark', 'highWatermark', 'criticalWatermark'],
      wrong: `the watermarks ${low}, ${high} and ${critical} do not rise`,
      expected: '0 < low < high < critical <= 1',
      remedy: 'for instance 0.75, 0.85 and 0.95',
    });
  if (inputs.rate === 0 && inputs.burst === 0)
    problems.push({
      fields: ['rate', 'burst'],
      wrong: 'the writer makes no file at all, so there is nothing to plan',
      expected: 'a rate or a burst above 0',
      remedy: 'give the files per second, or the files of a start',
    });
  if (problems.length > 0) return problems;
  const spacingMs = inputs.shiftMs / inputs.starts;
  const files =
    (inputs.rate + (inputs.burst * 1_000) / spacingMs) * ((inputs.retentionMs + inputs.outageMs) / 1_000);
  const largest = Math.max(inputs.sizeBytes, inputs.burstSizeBytes, inputs.allocatedBytes ?? 0);
  if (!(files * Math.max(largest, inputs.blockSizeBytes, inputs.inodeRatioBytes) < 1e15))
    problems.push({
      fields: ['rate', 'sizeBytes', 'burst', 'burstSizeBytes', 'retentionMs', 'outageMs'],
      wrong: `${number(files)} files of up to ${bytes(largest)} in ${formatDuration(inputs.retentionMs + inputs.outageMs)} are more than any one volume holds`,
      expected: 'less than 1 PB on the volume',
      remedy: 'check the units, or plan for one writer at a time',
    });
  return problems;
}
