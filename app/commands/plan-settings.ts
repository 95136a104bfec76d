// The flags of `ferry plan`: every input of the capacity plan, the two known sites, and how the answer is printed.
import * as z from 'zod';
import {
  choice,
  count,
  directory,
  duration,
  field,
  optional,
  share,
  size,
  toggle,
} from '../core/settings/fields.ts';
import type { Conflict, SettingsSpec } from '../core/settings/settings.ts';
import { parseDurationMs } from '../core/units.ts';
import { type PlanInputs, planProblems, SITE_NAMES, SITES, VOLUME_KINDS } from '../plan/inputs.ts';

const WRITER = 'The writer';
const TIMES = 'When';
const NETWORK = 'The way to S3';
const VOLUME = 'The volume';
const BUCKET = 'The bucket';
const OUTPUT = 'The answer';

const OF_SITE = 'as the site has it';
const MANY = { min: 1, max: 1_000_000_000 };

const schema = z.object({
  site: optional(
    choice(
      {
        group: WRITER,
        what: 'Start from a known site: small makes 12 files/s of 1 KB, burst makes 5,000 files of 13 KB at each start',
        example: 'burst',
        otherwise: 'small',
      },
      SITE_NAMES,
    ),
  ),
  observe: optional(
    directory({
      group: WRITER,
      what: "Measure this directory's files and plan from what is seen; other flags win over it",
      example: '/var/file-writer/data',
      otherwise: 'nothing is measured',
    }),
  ),
  rate: optional(
    field(
      { group: WRITER, what: 'Files per second after the start', example: '12', otherwise: OF_SITE },
      'N',
      'a number from 0 to 1000000',
      (text) => {
        const value = /^\d{1,7}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
        if (Number.isNaN(value)) return { wrong: 'is no number' };
        return value <= 1_000_000 ? { value } : { wrong: 'is out of range' };
      },
    ),
  ),
  sizeBytes: optional(
    size({ group: WRITER, what: 'Average size of such a file', example: '1Ki', otherwise: OF_SITE }),
  ),
  burst: optional(
    count(
      { group: WRITER, what: 'Files made at once at every start', example: '5000', otherwise: OF_SITE },
      { min: 0, max: MANY.max },
    ),
  ),
  burstSizeBytes: optional(
    size({ group: WRITER, what: 'Average size of a file of a burst', example: '13Ki', otherwise: OF_SITE }),
  ),
  starts: optional(
    count(
      { group: WRITER, what: 'Starts of the writer per shift', example: '1', otherwise: '1' },
      { min: 1, max: 100_000 },
    ),
  ),
  pathLength: optional(
    count(
      {
        group: WRITER,
        what: "Average length of a file's path below the source, in bytes",
        example: '40',
        otherwise: '40',
      },
      { min: 1, max: 4_096 },
    ),
  ),
  writerStopMs: optional(
    duration(
      { group: TIMES, what: 'What the writer takes to end after SIGTERM', example: '30s', otherwise: '30s' },
      { zero: true },
    ),
  ),
  drainMs: optional(
    duration(
      {
        group: TIMES,
        what: "The uploader's --drain, after the writer's end",
        example: '30s',
        otherwise: 'planned',
      },
      { zero: true },
    ),
  ),
  shiftMs: optional(duration({ group: TIMES, what: 'Length of a shift', example: '12h', otherwise: '12h' })),
  retentionMs: optional(
    duration(
      { group: TIMES, what: 'How long a file stays on the volume', example: '24h', otherwise: '24h' },
      { zero: true },
    ),
  ),
  outageMs: optional(
    duration(
      { group: TIMES, what: 'Longest time without S3 that must be survived', example: '4h', otherwise: '4h' },
      { zero: true },
    ),
  ),
  catchUpMs: optional(
    duration({
      group: TIMES,
      what: 'Time to send what an outage left behind',
      example: '1h',
      otherwise: '1h',
    }),
  ),
  bandwidth: optional(
    field(
      {
        group: NETWORK,
        what: 'Bandwidth towards S3, to be held against the need',
        example: '100Mbit',
        otherwise: 'not limited',
      },
      'RATE',
      'bits per second with kbit, Mbit or Gbit',
      (text) => {
        const match = /^(\d{1,12}(?:\.\d{1,6})?)(k|M|G)bit(\/s)?$/.exec(text);
        if (!match) return { wrong: 'is no bandwidth' };
        const value =
          Number(match[1]) *
          { k: 1e3, M: 1e6, G: 1e9 }[match[2] === 'k' || match[2] === 'M' ? match[2] : 'G'];
        return value > 0 ? { value } : { wrong: 'must be more than nothing' };
      },
    ),
  ),
  concurrency: optional(
    count(
      { group: NETWORK, what: 'Uploads in flight', example: '16', otherwise: '16' },
      { min: 1, max: 512 },
    ),
  ),
  latencyMs: optional(
    duration({ group: NETWORK, what: 'What one upload takes', example: '50ms', otherwise: '50ms' }),
  ),
  volume: optional(
    choice(
      {
        group: VOLUME,
        what: 'emptyDir: over its limit the pod is evicted. memory: full is an error to the writer, and it counts as memory. ephemeral: a claim of its own, full is an error',
        example: 'emptyDir',
        otherwise: 'emptyDir',
      },
      VOLUME_KINDS,
    ),
  ),
  blockSizeBytes: optional(
    size({ group: VOLUME, what: 'Block size of its file system', example: '4Ki', otherwise: '4Ki' }),
  ),
  inodeRatioBytes: optional(
    size({ group: VOLUME, what: 'One inode per so many bytes', example: '16Ki', otherwise: '16Ki' }),
  ),
  lowWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share that a normal day stays below',
      example: '0.75',
      otherwise: '0.75',
    }),
  ),
  highWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share above which proved files go early',
      example: '0.85',
      otherwise: '0.85',
    }),
  ),
  criticalWatermark: optional(
    share({
      group: VOLUME,
      what: 'Used share that the longest outage stays below',
      example: '0.95',
      otherwise: '0.95',
    }),
  ),
  storageClass: optional(
    choice(
      {
        group: BUCKET,
        what: 'Class that a lifecycle rule moves the objects to',
        example: 'GLACIER_IR',
        otherwise: 'STANDARD',
      },
      ['STANDARD', 'STANDARD_IA', 'GLACIER_IR', 'DEEP_ARCHIVE'],
    ),
  ),
  lifetimeMs: optional(
    field(
      { group: BUCKET, what: 'How long objects are kept', example: '365d', otherwise: '365d' },
      'DURATION|forever',
      'a duration (ms, s, m, h or d) or forever',
      (text) => {
        const value = text === 'forever' ? Number.POSITIVE_INFINITY : parseDurationMs(text);
        if (value === undefined) return { wrong: 'is no duration' };
        return value > 0 ? { value } : { wrong: 'must be more than nothing' };
      },
    ),
  ),
  json: toggle({ group: OUTPUT, what: 'Print JSON', default: 'false' }),
  markdown: toggle({ group: OUTPUT, what: 'Print Markdown', default: 'false' }),
});

export type PlanSettings = Readonly<z.output<typeof schema>>;

export const planSpec: SettingsSpec<PlanSettings> = { schema, check };

/** Inputs from the flags over what was observed over the site. */
export function inputsOf(settings: Partial<PlanSettings>, observed: Partial<PlanInputs> = {}): PlanInputs {
  const { site, observe: _observe, json: _json, markdown: _markdown, ...given } = settings;
  // What was measured of a file's blocks holds only for the sizes that were measured.
  const { allocatedBytes, ...seen } = observed;
  const measured =
    given.sizeBytes === undefined && given.blockSizeBytes === undefined ? { allocatedBytes } : {};
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...SITES[site ?? 'small'], ...seen, ...measured, ...written };
}

function check(values: Partial<PlanSettings>): Conflict<keyof PlanSettings>[] {
  const conflicts: Conflict<keyof PlanSettings>[] = [];
  if (values.json && values.markdown)
    conflicts.push({
      fields: ['json', 'markdown'],
      wrong: 'two forms of the answer are asked for',
      expected: 'one of them',
      remedy: 'leave one out',
    });
  if (values.site !== undefined && values.observe !== undefined)
    conflicts.push({
      fields: ['site', 'observe'],
      wrong: 'a known site and a directory to measure are both named',
      expected: 'one of them',
      remedy: 'leave one out',
    });
  for (const problem of planProblems(inputsOf(values)))
    conflicts.push({ ...problem, fields: problem.fields.flatMap((name) => (isSetting(name) ? [name] : [])) });
  return conflicts;
}

function isSetting(name: string): name is keyof PlanSettings {
  return Object.hasOwn(schema.shape, name);
}
