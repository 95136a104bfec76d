// Reading receipts back: which objects there are for a time, and their lines one by one, with one object's stream in
// memory. It asks for the right to read, which the mover's own role does not have: a reviewer's role does.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { systemClock } from '../../core/clock.ts';
import { messageOf, StoreError } from '../../core/errors.ts';
import { listAll } from '../../core/listing.ts';
import { createRetrier, createRetryBudget, type Retrier } from '../../core/retry.ts';
import type { Store } from '../../core/store.ts';
import { parseLine, RECEIPTS_PREFIX, type ReceiptLine } from './line.ts';

const HOUR_MS = 3_600_000;
const HOUR_KEY = /^_receipts\/dt=(\d{4}-\d\d-\d\d)\/hh=(\d\d)\/[^/]+\.ndjson\.gz$/;

/** From the first instant to before the last, milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Keys of the receipts whose hour touches the span, in the order of their hours. */
export async function* receiptKeys(store: Store, span: Span): AsyncGenerator<string> {
  // A key before everything of the first hour.
  const first = new Date(Math.max(0, span.fromMs)).toISOString();
  const after = `${RECEIPTS_PREFIX}dt=${first.slice(0, 10)}/hh=${first.slice(11, 13)}/`;
  for await (const { key } of listAll(store, RECEIPTS_PREFIX, after)) {
    const [, date, hour] = HOUR_KEY.exec(key) ?? [];
    if (date === undefined) continue;
    const hourMs = Date.parse(`${date}T${hour}:00:00Z`);
    if (hourMs >= span.untilMs) return;
    if (hourMs + HOUR_MS > span.fromMs) yield key;
  }
}

/**
 * The lines of one receipt, its end included. Rejects with StoreError `corrupt` when it is not whole: what stands behind
 * a break is unknown, not absent.
 */
export async function* linesOf(store: Store, key: string): AsyncGenerator<ReceiptLine> {
  let last: ReceiptLine | undefined;
  let lines = 0;
  try {
    const text = Readable.from(await store.get(key)).pipe(createGunzip());
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
      last = parseLine(line);
      if (last === undefined) throw new Error(`line ${lines + 1} is none of a receipt`);
      lines += 1;
      yield last;
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('corrupt', `The receipt ${key} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (last?.event !== 'end' || last.lines !== lines - 1)
    throw new StoreError('corrupt', `The receipt ${key} is not whole: its end is missing.`);
}

/** Every line of a span but the ends, in the order of the receipts. `onReceipt` is told each key before it is read. */
export async function* linesWithin(
  store: Store,
  span: Span,
  onReceipt: (key: string) => void = () => {},
): AsyncGenerator<Exclude<ReceiptLine, { event: 'end' }>> {
  for await (const key of receiptKeys(store, span)) {
    onReceipt(key);
    for await (const line of linesOf(store, key)) {
      if (line.event === 'end') continue;
      const atMs = Date.parse(line.at);
      if (atMs >= span.fromMs && atMs < span.untilMs) yield line;
    }
  }
}

/** For people's commands: tries again as the mover does. */
export const patientRetrier = (): Retrier =>
  createRetrier({ clock: systemClock, budget: createRetryBudget() });
