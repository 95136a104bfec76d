// Reading a line of a receipt back. Apart from the writing, since the mover need not load what describes its schema.
import * as z from 'zod';

const time = z.iso.datetime();
const provedSchema = z.object({
  event: z.literal('proved'),
  at: time,
  /** Path below the source; bytes that are no UTF-8 as `%FF`. */
  file: z.string(),
  key: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  etag: z.string(),
  written: time,
  /** Absent where this process did not send it: it was there already, or Ferry was started anew in between. */
  sent: time.optional(),
  proof: z.enum(['put', 'md5', 'checksum']),
});
const freedSchema = z.object({
  event: z.literal('freed'),
  at: time,
  file: z.string(),
  key: z.string(),
  bytes: z.number(),
  why: z.enum(['retention', 'disk', 'spill', 'gone']),
});
const endSchema = z.object({
  event: z.literal('end'),
  source: z.string(),
  lines: z.number(),
  /** Lines that could not be kept, e.g. because the state volume was full. */
  lost: z.number(),
});
const lineSchema = z.discriminatedUnion('event', [provedSchema, freedSchema, endSchema]);

export type ProvedLine = z.output<typeof provedSchema>;
export type FreedLine = z.output<typeof freedSchema>;
export type ReceiptLine = z.output<typeof lineSchema>;

/** Undefined when it is no line of a receipt. */
export function parseLine(text: string): ReceiptLine | undefined {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
