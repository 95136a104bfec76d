// The files mover's settings: what each means, which values it takes, and what must hold between them.
import * as z from 'zod';
import {
  choice,
  count,
  directory,
  duration,
  field,
  hostPort,
  httpUrl,
  optional,
  share,
  size,
  text,
  toggle,
} from '../core/settings/fields.ts';
import type { SettingsSpec } from '../core/settings/settings.ts';
import { KEY_PLACEHOLDERS } from './key.ts';
import { checkFilesSettings } from './settings-checks.ts';
import { parseDestination, parseKeyTemplate } from './settings-values.ts';

const MOVE = 'What goes where';
const TIMES = 'When';
const DISK = 'Disk';
const S3 = 'S3';
const PACE = 'Pace';
const WATCH = 'Watching it';

const schema = z.object({
  source: directory({
    group: MOVE,
    what: 'Directory whose files are moved, with everything below it',
    example: '/var/file-writer/data',
  }),
  to: field(
    {
      group: MOVE,
      what: 'Where the files go: a bucket with an optional prefix, or a local directory that stands in for one',
      example: 's3://my-bucket/site-1',
    },
    'URL|DIR',
    's3://BUCKET/PREFIX or a directory',
    parseDestination,
  ),
  key: field(
    {
      group: MOVE,
      what: `Key of a file's object below the prefix. Must hold {path}; knows ${Object.keys(KEY_PLACEHOLDERS)
        .map((name) => `{${name}}`)
        .join(' ')}; times are the file's mtime in UTC. {path} alone mirrors the directory`,
      example: 'dt={date}/hh={hour}/{path}',
      default: 'dt={date}/hh={hour}/{path}',
    },
    'TEMPLATE',
    'a key template that holds {path}',
    parseKeyTemplate,
  ),
  once: toggle({
    group: TIMES,
    what: 'Move what is there, then end, instead of running on',
    default: 'false',
  }),
  settleMs: duration(
    {
      group: TIMES,
      what: 'How long a file must stand still before it counts as complete. Below 1s a slow writer may be taken for a finished one: its file is then sent again as another object',
      example: '5s',
      default: '5s',
    },
    { zero: true, timer: true },
  ),
  retentionMs: duration(
    {
      group: TIMES,
      what: 'How long a file stays after it arrived on this disk (the later of its mtime and ctime); it is deleted only once its object is proved. 0 frees it as soon as it is proved',
      example: '24h',
      default: '24h',
    },
    { zero: true },
  ),
  keep: toggle({ group: TIMES, what: 'Never delete a local file: copy only', default: 'false' }),
  dryRun: toggle({
    group: MOVE,
    what: 'Say what would be sent and deleted, and do neither',
    default: 'false',
  }),
  volumeLimitBytes: optional(
    size({
      group: DISK,
      what: "The volume's limit in allocated bytes: set it to the emptyDir's sizeLimit, which no process can see",
      example: '2Gi',
      otherwise: "the file system's size",
    }),
  ),
  state: directory({
    group: DISK,
    what: 'Directory for what Ferry remembers. A cache: when lost it is rebuilt from the files and the bucket',
    example: '/var/lib/ferry',
    default: '.ferry/state',
  }),
  spill: optional(
    directory({
      group: DISK,
      what: 'Directory on another volume that takes the oldest files not yet proved when the disk is critical and nothing proved is left to free; they are sent from there',
      example: '/var/lib/ferry-spill',
      otherwise: 'none: files stay until they are proved',
    }),
  ),
  endpoint: optional(
    httpUrl({
      group: S3,
      what: 'Base URL of an S3-compatible server or VPC endpoint',
      example: 'http://127.0.0.1:7070',
      otherwise: "AWS's own",
    }),
  ),
  region: optional(
    text(
      {
        group: S3,
        what: "The bucket's region",
        example: 'eu-central-1',
        otherwise: 'AWS_REGION or the AWS profile',
      },
      'REGION',
      'a region name',
      /^[a-z0-9-]{2,64}$/,
    ),
  ),
  pathStyle: toggle({
    group: S3,
    what: "Put the bucket into the URL's path instead of the host name; most S3-compatible servers need it",
    default: 'false',
  }),
  sse: choice(
    {
      group: S3,
      what: "Encryption asked for with every object. none leaves it to the bucket's default",
      example: 'AES256',
      default: 'none',
    },
    ['none', 'AES256', 'aws:kms'],
  ),
  sseKmsKeyId: optional(
    text(
      {
        group: S3,
        what: 'KMS key for --sse aws:kms: an id, an alias or an ARN',
        example: 'alias/ferry',
        otherwise: "AWS's key for S3",
      },
      'KEY',
      'a KMS key id, alias or ARN',
      /^[A-Za-z0-9:/_-]{1,2048}$/,
    ),
  ),
  mayRead: toggle({
    group: S3,
    what: 'The role may read objects (s3:GetObject): compares by HEAD where a listing cannot tell',
    default: 'false',
  }),
  concurrency: count(
    {
      group: PACE,
      what: 'Uploads in flight at most; fewer while the store pushes back or answers slowly',
      example: '16',
      default: '16',
    },
    { min: 1, max: 512 },
  ),
  requestTimeoutMs: duration(
    {
      group: PACE,
      what: 'How long one request may take before it is given up and tried again',
      example: '30s',
      default: '30s',
    },
    { timer: true },
  ),
  proveEveryMs: duration(
    { group: PACE, what: 'How often sent files are proved by a listing', example: '60s', default: '60s' },
    { timer: true },
  ),
  walkEveryMs: duration(
    {
      group: PACE,
      what: 'Shortest time between two walks through the source directory',
      example: '2s',
      default: '2s',
    },
    { timer: true },
  ),
  walkCpuShare: share({
    group: PACE,
    what: 'Share of one core that walking may use: a walk that cost more is followed by a longer pause. A quarter of it while the kernel tells of what arrives',
    example: '0.01',
    default: '0.01',
  }),
  highWatermark: share({
    group: DISK,
    what: 'Used share of the volume above which the oldest proved files are freed before their time',
    example: '0.85',
    default: '0.85',
  }),
  lowWatermark: share({
    group: DISK,
    what: 'Used share down to which they are freed',
    example: '0.75',
    default: '0.75',
  }),
  criticalWatermark: share({
    group: DISK,
    what: 'Used share that is reported as critical',
    example: '0.95',
    default: '0.95',
  }),
  drainMs: duration(
    {
      group: TIMES,
      what: "After SIGTERM: how long to go on sending, newest first. Keep it below the pod's grace period",
      example: '25s',
      default: '25s',
    },
    { zero: true, timer: true },
  ),
  listen: optional(
    hostPort({
      group: WATCH,
      what: 'Serve the page, /metrics, /livez and /readyz on this address',
      example: '0.0.0.0:9464',
      otherwise: 'no server',
    }),
  ),
  page: choice(
    {
      group: WATCH,
      what: "Who sees the page's files on --listen. local: who comes over 127.0.0.1 (kubectl port-forward does), others see numbers only; open: everybody; off: no page at all",
      example: 'local',
      default: 'local',
    },
    ['local', 'open', 'off'],
  ),
  pageToken: optional(
    text(
      {
        group: WATCH,
        what: 'Password without which the page shows nothing; the user name is any',
        example: 'a-long-secret',
        otherwise: 'none',
        secret: true,
      },
      'TOKEN',
      'a text of 12 to 200 printable ASCII characters without spaces',
      /^[!-~]{12,200}$/,
    ),
  ),
  heartbeatUrl: optional(
    httpUrl({
      group: WATCH,
      what: "URL called each minute while everything is proved in time (a dead man's switch); with --once at its good end",
      example: 'https://hc-ping.com/your-uuid',
      otherwise: 'no heartbeat',
      secret: true,
    }),
  ),
  heartbeatWithinMs: duration({
    group: WATCH,
    what: 'How old the oldest file without a proof may be for that',
    example: '15m',
    default: '15m',
  }),
  receipts: toggle({
    group: MOVE,
    what: 'Write an object of receipts each hour below _receipts/: what was proved and freed, for ferry where and ferry verify',
    default: 'true',
  }),
  logLevel: choice(
    { group: WATCH, what: 'Least important lines that are logged', example: 'info', default: 'info' },
    ['debug', 'info', 'warn', 'error'],
  ),
  summaryEveryMs: duration(
    { group: WATCH, what: 'How often a line sums up what was moved', example: '60s', default: '60s' },
    { timer: true },
  ),
});

/** Times in milliseconds, sizes in bytes, directories absolute; `to` is `s3://bucket/prefix` or an absolute directory. */
export type FilesSettings = Readonly<z.output<typeof schema>>;

export const filesSpec: SettingsSpec<FilesSettings> = { section: 'files', schema, check: checkFilesSettings };

/** What `ferry doctor` takes: the same, with a source only if it is to be looked at too. */
export type DoctorSettings = Readonly<z.output<typeof doctorSchema>>;

const doctorSchema = z.object({ ...schema.shape, source: optional(schema.shape.source) });

export const doctorSpec: SettingsSpec<DoctorSettings> = {
  section: 'files',
  schema: doctorSchema,
  check: ({ source, ...rest }) => checkFilesSettings(source === undefined ? rest : { source, ...rest }),
};
