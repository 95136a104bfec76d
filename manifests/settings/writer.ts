// Settings of the writer: its container, what it makes and what must be survived, from which everything is planned.
import { count, duration, field, optional, size, text, toggle } from '../../app/core/settings/fields.ts';
import { parseBandwidth, parseCpu, parseImage, parseRate } from '../quantities.ts';

const WRITER = 'The writer';
const TIMES = 'What must be survived';
const PATH = /^(\/[A-Za-z0-9._-]+)+$/;

export const WRITER_FIELDS = {
  writerImage: optional(
    field(
      {
        group: WRITER,
        what: "The vendor's image",
        example: 'registry.example.com/file-writer@sha256:…',
        otherwise: 'the stand-in that is part of Ferry, writing what is planned for',
      },
      'IMAGE',
      'an image name with a tag or a digest',
      parseImage,
    ),
  ),
  writerPath: text(
    {
      group: WRITER,
      what: 'Where the shared volume is mounted, in both containers',
      example: '/var/file-writer/data',
      default: '/var/file-writer/data',
    },
    'DIR',
    'an absolute path without spaces',
    PATH,
  ),
  user: count(
    {
      group: WRITER,
      what: 'User id and group of both containers. One for both, since files in directories that another user made cannot be deleted',
      example: '65532',
      default: '65532',
    },
    { min: 1, max: 2_147_483_647 },
  ),
  writerReadOnlyRoot: toggle({
    group: WRITER,
    what: "The writer's root is read-only; /tmp is not",
    default: 'true',
  }),
  writerNotes: toggle({
    group: WRITER,
    what: 'The stand-in notes each file it has written in /var/ferry-notes/written.jsonl, to draw up a balance',
    default: 'false',
  }),
  writerCpu: field(
    { group: WRITER, what: "The writer's CPU, requested", example: '100m', default: '100m' },
    'CPU',
    'cores, or thousandths with m',
    parseCpu,
  ),
  writerCpuLimit: field(
    { group: WRITER, what: "The writer's CPU, at most", example: '1', default: '1' },
    'CPU',
    'cores, or thousandths with m',
    parseCpu,
  ),
  writerMemoryBytes: size({
    group: WRITER,
    what: "The writer's own memory; a volume of kind memory is added to it",
    example: '256Mi',
    default: '256Mi',
  }),
  rate: field(
    { group: WRITER, what: 'Files per second after the start', example: '12' },
    'N',
    'a number from 0 to 1000000',
    parseRate,
  ),
  sizeBytes: size({ group: WRITER, what: 'Average size of such a file', example: '1Ki' }),
  burst: count(
    { group: WRITER, what: 'Files made at once at every start', example: '5000', default: '0' },
    { min: 0, max: 1_000_000_000 },
  ),
  burstSizeBytes: optional(
    size({
      group: WRITER,
      what: 'Average size of a file of a burst',
      example: '13k',
      otherwise: 'as the others',
    }),
  ),
  starts: optional(
    count(
      { group: WRITER, what: 'Starts of the writer per shift', example: '1', otherwise: '1' },
      { min: 1, max: 100_000 },
    ),
  ),
  pathLength: optional(
    count(
      { group: WRITER, what: "Average length of a file's path, in bytes", example: '40', otherwise: '40' },
      { min: 1, max: 4_096 },
    ),
  ),
  writerStopMs: optional(
    duration(
      { group: WRITER, what: 'What the writer takes to end after SIGTERM', example: '30s', otherwise: '30s' },
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
      { group: TIMES, what: 'Bandwidth towards S3', example: '100Mbit', otherwise: 'not limited' },
      'RATE',
      'bits per second with kbit, Mbit or Gbit',
      parseBandwidth,
    ),
  ),
  concurrency: optional(
    count({ group: TIMES, what: 'Uploads in flight', example: '16', otherwise: '16' }, { min: 1, max: 512 }),
  ),
  latencyMs: optional(
    duration({ group: TIMES, what: 'What one upload takes', example: '50ms', otherwise: '50ms' }),
  ),
};
