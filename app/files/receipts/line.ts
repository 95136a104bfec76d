// A line of a receipt: what happened to one file, in a form that people, Athena and `ferry verify` read.
import * as z from 'zod';
import type { LedgerRow } from '../ledger/ledger.ts';
import { toText } from '../paths.ts';

/** Below the destination. Query engines take names that begin with `_` for no data. */
export const RECEIPTS_PREFIX = '_receipts/';

/** `retention`: its time was over. `disk`: the volume was near its limit. `gone`: it was no longer there to be freed. */
export type FreedWhy = 'retention' | 'disk' | 'gone';

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
  why: z.enum(['retention', 'disk', 'gone']),
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

/** Written by hand: a line for each file costs a microsecond, not five. */
export function provedLine(row: LedgerRow, sentAtMs: number | undefined): string {
  const sent = sentAtMs === undefined ? '' : `,"sent":"${iso(sentAtMs)}"`;
  return (
    `{"event":"proved","at":"${iso(row.provedAtMs)}","file":${JSON.stringify(toText(row.path))},` +
    `"key":${JSON.stringify(row.key)},"bytes":${row.stat.size},"sha256":"${row.sha256}","etag":${JSON.stringify(row.etag)},` +
    `"written":"${iso(row.stat.mtimeMs)}"${sent},"proof":"${row.proof}"}\n`
  );
}

export function freedLine(row: LedgerRow, why: FreedWhy, atMs: number): string {
  return (
    `{"event":"freed","at":"${iso(atMs)}","file":${JSON.stringify(toText(row.path))},` +
    `"key":${JSON.stringify(row.key)},"bytes":${row.stat.size},"why":"${why}"}\n`
  );
}

export const endLine = (source: string, lines: number, lost: number): string =>
  `${JSON.stringify({ event: 'end', source, lines, lost })}\n`;

/** A file system may hold times that no date of four digits says. */
function iso(ms: number): string {
  return new Date(Math.min(253_402_300_799_999, Math.max(-62_167_219_200_000, ms))).toISOString();
}
