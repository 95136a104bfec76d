// The flags of `ferry events` and its sub-commands: which settings file, which days, which types.
import * as z from 'zod';
import {
  choice,
  count,
  directory,
  field,
  hostPort,
  optional,
  text,
  toggle,
} from '../../core/settings/fields.ts';
import type { Conflict, SettingsSpec } from '../../core/settings/settings.ts';
import { dayOf, isDay } from '../days.ts';

const WHAT = 'What is moved';
const HOW = 'How';

const day = (what: string, otherwise = 'none') =>
  field(
    { group: WHAT, what, example: '2026-11-20', otherwise },
    'DAY',
    'a date that is not in the future',
    (text) => {
      if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return { wrong: 'is no date: write it as 2026-11-20' };
      if (!isDay(text)) return { wrong: 'is not in the calendar' };
      return text > dayOf(Date.now()) ? { wrong: 'is in the future' } : { value: text };
    },
  );

const types = optional(
  field(
    {
      group: WHAT,
      what: 'Event types, with commas between',
      example: 'charge,refund',
      otherwise: 'all of the file',
    },
    'TYPES',
    'event types with commas between',
    (text): { value: readonly string[] } | { wrong: string } => {
      const names = text.split(',').map((name) => name.trim());
      return names.includes('') ? { wrong: 'holds an empty name' } : { value: names };
    },
  ),
);

const config = field(
  { group: HOW, what: 'YAML file of settings', example: 'events.yaml', default: 'events.yaml' },
  'FILE',
  'a file',
  (text) => (text.includes('\0') ? { wrong: 'holds a NUL byte' } : { value: text }),
);

const dryRun = toggle({ group: HOW, what: 'Say what would be pulled, and do nothing', default: 'false' });
const parallel = optional(
  count(
    { group: HOW, what: 'Units worked on at once at most', example: '4', otherwise: 'as the API bears' },
    { min: 1, max: 256 },
  ),
);

const listen = optional(
  hostPort({
    group: HOW,
    what: 'Serve /metrics on this address while the run lasts',
    example: '0.0.0.0:9464',
    otherwise: 'no server',
  }),
);

const schema = z.object({
  config,
  day: optional(day('One day instead of looking back')),
  from: optional(day('First day instead of looking back')),
  to: optional(day('Last day, with --from', 'yesterday')),
  type: types,
  today: toggle({
    group: WHAT,
    what: "Also today's records so far, as an open revision; once the day is over it is pulled whole",
    default: 'false',
  }),
  dryRun,
  parallel,
  listen,
});

export type EventsFlags = Readonly<z.output<typeof schema>>;

export const eventsSpec: SettingsSpec<EventsFlags> = { schema, check: checkDays };

const statusSchema = z.object({ config, from: schema.shape.from, to: schema.shape.to, types });
export type StatusFlags = Readonly<z.output<typeof statusSchema>>;
export const statusSpec: SettingsSpec<StatusFlags> = { schema: statusSchema, check: checkSpan };

const backfillSchema = z.object({
  config,
  from: day('First day'),
  to: day('Last day'),
  types,
  order: choice({ group: HOW, what: 'Which days come first', example: 'newest', default: 'oldest' }, [
    'oldest',
    'newest',
  ]),
  parallel,
  dryRun,
  listen,
  typeIndex: optional(
    count(
      {
        group: WHAT,
        what: 'The type of this number in the file, counted from 0: for an Indexed Job',
        example: '0',
      },
      { min: 0, max: 9_999 },
    ),
  ),
});
export type BackfillFlags = Readonly<z.output<typeof backfillSchema>>;
export const backfillSpec: SettingsSpec<BackfillFlags> = {
  schema: backfillSchema,
  check: ({ from, to }) => checkSpan({ from, to: from === undefined ? undefined : to }),
};

const demoSchema = z.object({
  directory: directory({
    group: HOW,
    what: 'Directory for the settings file and the data',
    example: '.ferry/events-demo',
    default: '.ferry/events-demo',
  }),
});
export const demoSpec: SettingsSpec<z.output<typeof demoSchema>> = { schema: demoSchema };

type Days = Partial<{ day: string | undefined; from: string | undefined; to: string | undefined }>;

function checkSpan({ from, to }: Days): Conflict<'from' | 'to'>[] {
  const wrong = (fields: readonly ('from' | 'to')[], what: string, expected: string, remedy: string) => [
    { fields, wrong: what, expected, remedy },
  ];
  if (from !== undefined && to !== undefined && from > to)
    return wrong(['from', 'to'], 'the last day comes before the first', 'from <= to', 'swap them');
  if (from === undefined && to !== undefined)
    return wrong(['to'], 'a last day without a first one', '--from DAY --to DAY', 'add --from');
  return [];
}

function checkDays(values: Days): Conflict<'day' | 'from' | 'to'>[] {
  const { day: one, from, to } = values;
  if (one === undefined || (from === undefined && to === undefined)) return checkSpan(values);
  return [
    {
      fields: ['day', 'from', 'to'],
      wrong: 'a day and a span are given',
      expected: 'one of both',
      remedy: 'leave out --day, or --from and --to',
    },
  ];
}

const sampleSchema = z.object({
  port: count(
    { group: HOW, what: 'Port to listen on', example: '8377', default: '8377' },
    { min: 1, max: 65_535 },
  ),
  host: text(
    {
      group: HOW,
      what: 'Address to listen on; 0.0.0.0 in a container, where others come from outside',
      example: '0.0.0.0',
      default: '127.0.0.1',
    },
    'ADDRESS',
    'an IP address',
    /^[0-9a-fA-F.:]{2,45}$/,
  ),
});
export const sampleSpec: SettingsSpec<z.output<typeof sampleSchema>> = { schema: sampleSchema };
