// Settings of the writer: its container, and what it makes.
import { count, field, optional, size, text, toggle } from '../../app/core/settings/fields.ts';
import { WRITER_GROUP as WRITER, WRITER_INPUTS } from '../../app/plan/fields.ts';
import { parseCpu, parseImage } from '../quantities.ts';

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
  ...WRITER_INPUTS,
  burst: optional(WRITER_INPUTS.burst, '0'),
  burstSizeBytes: optional(WRITER_INPUTS.burstSizeBytes, 'as the others'),
};
