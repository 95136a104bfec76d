// An API in data: how a page is asked for, where its records are, how the next one is named, what its errors mean.
// Nothing in the program knows any API by name.
import * as z from 'zod';

/** What a template may hold: `{name}`. A text that is one placeholder alone takes its value's type. */
export const PLACEHOLDERS = {
  type: 'the event type as the settings spell it, or as `types` renames it',
  day: 'the day, 2026-11-20',
  next_day: 'the day after it',
  start: 'its first instant, 2026-11-20T00:00:00Z',
  end: 'the first instant after it',
  start_unix: 'its first second since 1970',
  end_unix: 'the first second after it',
  last_unix: 'its last second since 1970',
  limit: 'records asked for in a page',
  cursor: 'what names the next page; on the first page the entry that holds it is left out',
} as const;

export type Placeholder = keyof typeof PLACEHOLDERS;

/** A field's place in an answer: names with dots between them; empty means the answer itself. */
const path = z
  .string()
  .regex(/^$|^[^.\s]+(\.[^.\s]+)*$/, 'is no path: write names with dots between them, as in data.items');

const statuses = z.array(z.number().int().min(300).max(599));
const atMost = (limit: number) => z.number().int().min(1).max(limit);

const page = z
  .discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('cursor'),
      body: path.optional().describe('Where the answer holds the next cursor; absent, null or empty ends'),
      header: z.string().optional().describe('The header that holds it instead'),
      more: path.optional().describe('A field that says false on the last page'),
    }),
    z.strictObject({
      by: z.literal('last_id'),
      more: path
        .optional()
        .describe('A field that says false on the last page; without one an empty page ends'),
    }),
    z.strictObject({
      by: z.literal('link'),
      body: path.optional().describe("Where the answer holds the next page's URL; a Link header without it"),
    }),
    z.strictObject({
      by: z.literal('offset'),
      first: z.number().int().min(0).default(0),
      more: path
        .optional()
        .describe('A field that says false on the last page; without one an empty page ends'),
    }),
    z.strictObject({
      by: z.literal('page'),
      first: z.number().int().min(0).default(1),
      more: path
        .optional()
        .describe('A field that says false on the last page; without one an empty page ends'),
    }),
  ])
  .describe('How the next page is named');

const auth = z
  .union([
    z.literal('none'),
    z.strictObject({
      header: z.string().min(1).describe('The header that carries the key'),
      value: z.string().includes('{key}').default('{key}').describe('Its value, e.g. Bearer {key}'),
    }),
    z.strictObject({
      basic_user: z.literal('{key}').describe('The key as the user of basic authentication'),
    }),
  ])
  .describe('How the key is sent');

export const apiSchema = z.strictObject({
  method: z.enum(['GET', 'POST']).default('POST').describe('How a page is asked for'),
  path: z.string().default('').describe('Added to the url; may hold placeholders'),
  query: z
    .record(z.string(), z.string())
    .default({})
    .describe('Query parameters; values may hold placeholders'),
  body: z
    .record(z.string(), z.json())
    .optional()
    .describe('JSON body of a POST; texts in it may hold placeholders'),
  auth: auth.default({ header: 'x-api-key', value: '{key}' }),
  types: z
    .record(z.string(), z.string())
    .default({})
    .describe('How the API spells an event type, where it differs from `events`'),
  records: path.default('data').describe('Where the answer holds the list of records'),
  id: path
    .default('id')
    .describe("Where a record holds its id; empty: records have none, repeats aren't found"),
  page: page.default({ by: 'cursor', body: 'next_cursor' }),
  limit_min: atMost(100_000).default(10).describe('The smallest page the API gives'),
  limit_max: atMost(100_000).default(100).describe('The largest page the API gives'),
  concurrency: atMost(256).default(16).describe('Requests at once at most; fewer while it pushes back'),
  per_second: z.number().positive().max(10_000).optional().describe('Requests a second at most'),
  timeout_seconds: z.number().positive().max(3_600).default(60).describe('How long one request may take'),
  errors: z
    .strictObject({
      retry: statuses
        .default([408, 429, 500, 502, 503, 504])
        .describe('Statuses that are tried again; network errors and truncated bodies always are'),
      expired: statuses.default([410]).describe('Statuses of a cursor that is not known any more'),
      empty: statuses.default([]).describe('Statuses that mean a day without records'),
    })
    .prefault({}),
});

export type ApiDescription = Readonly<z.output<typeof apiSchema>>;

/** The original API's request: what it takes when the settings describe none. */
export const DEFAULT_BODY = { type: '{type}', day: '{day}', limit: '{limit}', cursor: '{cursor}' } as const;
