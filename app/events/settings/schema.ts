// What the settings file of `ferry events` may hold. Every key has a description; the JSON Schema is made from it.
import * as z from 'zod';
import { parseDurationMs, parseSizeBytes } from '../../core/units.ts';
import { apiSchema } from '../api/description.ts';

/** A number of seconds, or a duration with its unit. Milliseconds. */
const wait = (what: string) =>
  z
    .union([z.number().min(0).max(86_400), z.string()])
    .transform((given, context) => {
      const ms = typeof given === 'number' ? given * 1_000 : parseDurationMs(given);
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: 'is no duration: write seconds, or 500ms, 30s, 10m' });
      return z.NEVER;
    })
    .describe(what);

const size = (what: string) =>
  z
    .union([z.number().int().min(1), z.string()])
    .transform((given, context) => {
      const bytes = typeof given === 'number' ? given : parseSizeBytes(given);
      if (bytes !== undefined && bytes >= 1) return bytes;
      context.addIssue({ code: 'custom', message: 'is no size: write bytes, or 64k, 16Mi' });
      return z.NEVER;
    })
    .describe(what);

const flag = (what: string) => z.boolean().describe(what);

/** Keys that older files put below `metadata:`; at the top level they mean the same. */
const metadata = {
  read_batch_size: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .describe('Records asked for in a page (default: 100)'),
  s3_bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no bucket name')
    .describe('The bucket; without one only the local folder is written'),
  s3_key: z
    .string()
    .regex(/^(?!.*(^|\/)\.{1,2}(\/|$))(?!.*\/\/)[^\\\x00-\x1f\x7f]{0,512}$/, 'is no prefix for keys')
    .describe('Prefix of every key in the bucket'),
  retry_sla: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .describe('Tries after the first one at most (default: no limit)'),
  retry_time_delta: wait(
    'Wait before the first retry, at most; doubled for each that follows (default: 1 s)',
  ),
  save_data_locally: flag('Also write to the folder `local_path`'),
};

const optionalMetadata = {
  read_batch_size: metadata.read_batch_size.optional(),
  s3_bucket: metadata.s3_bucket.optional(),
  s3_key: metadata.s3_key.optional(),
  retry_sla: metadata.retry_sla.optional(),
  retry_time_delta: metadata.retry_time_delta.optional(),
  save_data_locally: metadata.save_data_locally.optional(),
};

const flatten = z
  .union([
    z.boolean(),
    z.strictObject({
      separator: z.string().min(1).max(8).default('.'),
      depth: z.number().int().min(1).max(64).default(64).describe('Levels that are joined'),
      arrays: z.enum(['keep', 'index']).default('keep'),
    }),
  ])
  .describe('Nested records as flat ones (default: false)');

export const fileSchema = z
  .strictObject({
    version: z
      .union([z.string(), z.number()])
      .optional()
      .describe('Of these settings; for people, and written into no object'),
    url: z
      .string()
      .regex(/^https?:\/\/[^\s?#@]+$/, 'is no http:// or https:// URL without user, query and fragment')
      .describe('Where the API is'),
    headers: z.record(z.string(), z.string()).default({}).describe('Sent with every request; never the key'),
    events: z
      .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'is no event type'))
      .min(1, 'names no event type')
      .describe('The event types to move'),
    ...optionalMetadata,
    metadata: z
      .strictObject(optionalMetadata)
      .optional()
      .describe('The same six keys, as older files have them'),
    key_variable: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'is no name of a variable')
      .default('API_KEY')
      .describe('Variable that holds the API key, or with _FILE at its end the path of a file that does'),
    local_path: z.string().min(1).default('data').describe('The folder for save_data_locally'),
    write_batch_size: z
      .number()
      .int()
      .min(1)
      .max(10_000_000)
      .default(50_000)
      .describe('Records in a part at most'),
    write_batch_bytes: size('Uncompressed bytes of a part at most, to the next record').default(16 * 2 ** 20),
    lookback: z
      .number()
      .int()
      .min(1)
      .max(366)
      .default(7)
      .describe('Closed days that are looked for, in days'),
    late_days: z
      .number()
      .int()
      .min(0)
      .max(366)
      .default(2)
      .describe('Closed days that are pulled again though sealed, because records may have changed'),
    retry_deadline: wait('How long one page is tried at most').default(600_000),
    log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least important lines'),
    log_path: z.string().min(1).optional().describe('Directory for log files; always also on the terminal'),
    state: z
      .string()
      .min(1)
      .default('.ferry/events')
      .describe('Directory for what is pulled and not yet sealed'),
    flatten: flatten.default(false),
    s3: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('Of an S3-compatible server'),
        region: z
          .string()
          .regex(/^[a-z0-9-]{2,64}$/)
          .optional(),
        path_style: flag('Put the bucket into the path').default(false),
        sse: z.enum(['none', 'AES256', 'aws:kms']).default('none'),
        sse_kms_key_id: z.string().optional(),
        may_read: flag('The role may read: late changes are then counted one by one').default(false),
      })
      .prefault({}),
    api: apiSchema.prefault({}).describe('How the API works; without it the original one'),
  })
  .describe('Settings of ferry events');

export type EventsFile = z.output<typeof fileSchema>;

/** The JSON Schema, for editors. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
  return { title: 'ferry events', ...schema };
}
