// The inputs of the capacity plan as settings: what each means and which values it takes, said once for the flags of
// `ferry plan` and for the settings of a deployment.
import { choice, count, duration, field, optional, share, size } from '../core/settings/fields.ts';
import { VOLUME_KINDS } from './inputs.ts';

export const WRITER_GROUP = 'The writer';
export const TIMES_GROUP = 'What must be survived';
export const NETWORK_GROUP = 'The way to S3';
export const VOLUME_GROUP = 'The volume';

type Parsed<T> = { value: T } | { wrong: string };

/** What the writer makes. Whether a value may be left out, and what it is then, is for each command to say. */
export const WRITER_INPUTS = {
  rate: field(
    { group: WRITER_GROUP, what: 'Files per second after the start', example: '12' },
    'N',
    'a number from 0 to 1000000',
    parseRate,
  ),
  sizeBytes: size({ group: WRITER_GROUP, what: 'Average size of such a file', example: '1Ki' }),
  burst: count(
    { group: WRITER_GROUP, what: 'Files made at once at every start', example: '5000' },
    { min: 0, max: 1_000_000_000 },
  ),
  burstSizeBytes: size({ group: WRITER_GROUP, what: 'Average size of a file of a burst', example: '13Ki' }),
};

/** Everything else: left out, a known site's value holds. */
export const OTHER_INPUTS = {
  starts: optional(
    count(
      { group: WRITER_GROUP, what: 'Starts of the writer per shift', example: '1', otherwise: '1' },
      { min: 1, max: 100_000 },
    ),
  ),
  pathLength: optional(
    count(
      {
        group: WRITER_GROUP,
        what: "Average length of a file's path below the source, in bytes",
        example: '40',
        otherwise: '40',
      },
      { min: 1, max: 4_096 },
    ),
  ),
  writerStopMs: optional(
    duration(
      {
        group: TIMES_GROUP,
        what: 'What the writer takes to end after SIGTERM',
        example: '30s',
        otherwise: '30s',
      },
      { zero: true },
    ),
  ),
  drainMs: optional(
    duration(
      {
        group: TIMES_GROUP,
        what: "The uploader's --drain, after the writer's end",
        example: '60s',
        otherwise: 'as planned',
      },
      { zero: true },
    ),
  ),
  shiftMs: optional(
    duration({ group: TIMES_GROUP, what: 'Length of a shift', example: '12h', otherwise: '12h' }),
  ),
  retentionMs: optional(
    duration(
      {
        group: TIMES_GROUP,
        what: 'How long a file stays on the volume',
        example: '24h',
        otherwise: '24h',
      },
      { zero: true },
    ),
  ),
  outageMs: optional(
    duration(
      {
        group: TIMES_GROUP,
        what: 'Longest time without S3 that must be survived',
        example: '4h',
        otherwise: '4h',
      },
      { zero: true },
    ),
  ),
  catchUpMs: optional(
    duration({
      group: TIMES_GROUP,
      what: 'Time to send what an outage left behind',
      example: '1h',
      otherwise: '1h',
    }),
  ),
  bandwidth: optional(
    field(
      {
        group: NETWORK_GROUP,
        what: 'Bandwidth towards S3, to be held against the need',
        example: '100Mbit',
        otherwise: 'not limited',
      },
      'RATE',
      'bits per second with kbit, Mbit or Gbit',
      parseBandwidth,
    ),
  ),
  concurrency: optional(
    count(
      { group: NETWORK_GROUP, what: 'Uploads in flight', example: '16', otherwise: '16' },
      { min: 1, max: 512 },
    ),
  ),
  latencyMs: optional(
    duration({ group: NETWORK_GROUP, what: 'What one upload takes', example: '50ms', otherwise: '50ms' }),
  ),
  volume: optional(
    choice(
      {
        group: VOLUME_GROUP,
        what: 'emptyDir: over its limit the pod is evicted. memory: full is an error to the writer, and it counts as its memory. ephemeral: a claim of its own, full is an error to the writer',
        example: 'emptyDir',
        otherwise: 'emptyDir',
      },
      VOLUME_KINDS,
    ),
  ),
  blockSizeBytes: optional(
    size({ group: VOLUME_GROUP, what: 'Block size of its file system', example: '4Ki', otherwise: '4Ki' }),
  ),
  inodeRatioBytes: optional(
    size({ group: VOLUME_GROUP, what: 'One inode per so many bytes', example: '16Ki', otherwise: '16Ki' }),
  ),
  lowWatermark: optional(
    share({
      group: VOLUME_GROUP,
      what: 'Used share that a normal day stays below, and that freeing early ends at',
      example: '0.75',
      otherwise: '0.75',
    }),
  ),
  highWatermark: optional(
    share({
      group: VOLUME_GROUP,
      what: 'Used share above which proved files go early',
      example: '0.85',
      otherwise: '0.85',
    }),
  ),
  criticalWatermark: optional(
    share({
      group: VOLUME_GROUP,
      what: 'Used share that the longest outage stays below',
      example: '0.95',
      otherwise: '0.95',
    }),
  ),
};

function parseRate(text: string): Parsed<number> {
  const value = /^\d{1,7}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) return { wrong: 'is no number' };
  return value <= 1_000_000 ? { value } : { wrong: 'is out of range' };
}

/** "100Mbit" -> bits per second. */
function parseBandwidth(text: string): Parsed<number> {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)([kMG])bit(\/s)?$/.exec(text);
  if (!match) return { wrong: 'is no bandwidth' };
  const value = Number(match[1]) * ({ k: 1e3, M: 1e6, G: 1e9 }[match[2] ?? ''] ?? Number.NaN);
  return value > 0 ? { value } : { wrong: 'must be more than nothing' };
}
