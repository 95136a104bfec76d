// A small events API to try things with: the request and answer of the original one, records made from the day's number,
// now and then a 502. Bundled, so that the first run needs no account.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dayOf, dayStartMs, isDay } from '../days.ts';

export const SAMPLE_TYPES = [
  'balance_transaction',
  'charge',
  'customer',
  'dispute',
  'event',
  'refund',
] as const;
export const SAMPLE_KEY = 'sample-key-of-no-secret';

export interface SampleApi {
  readonly url: string;
  close(): Promise<void>;
}

/** One request in so many is answered 502, as the real one does; always the same ones. */
const REFUSED_EVERY = 40;

/** Listens on a free port of this machine alone, unless told otherwise. */
export async function startSampleApi(nowMs: () => number, port = 0, host = '127.0.0.1'): Promise<SampleApi> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    const number = count;
    void readBody(request).then((body) => answer(request, response, body, number, nowMs()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // A listening TCP server's address is never a text or null.
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/events`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  number: number,
  nowMs: number,
): void {
  const [status, content] = answerTo(request.headers['x-api-key'], body, number, nowMs);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(content));
}

function answerTo(
  key: string | string[] | undefined,
  body: string,
  number: number,
  nowMs: number,
): [status: number, content: object] {
  if (key !== SAMPLE_KEY) return [401, { error: 'the x-api-key is wrong' }];
  if (number % REFUSED_EVERY === 0) return [502, { error: 'gateway timeout' }];
  const asked = parse(body);
  if (asked === undefined) return [400, { error: 'send {"type", "day", "limit", "cursor"}' }];
  const { type, day, limit, from } = asked;
  const all = countOf(type, day, nowMs);
  const data = Array.from({ length: Math.max(0, Math.min(limit, all - from)) }, (_, index) =>
    recordOf(type, day, from + index),
  );
  const next = from + data.length;
  return [200, { data, next_cursor: next < all ? `c-${next}` : null }];
}

function parse(body: string): { type: string; day: string; limit: number; from: number } | undefined {
  let asked: unknown;
  try {
    asked = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!(asked instanceof Object)) return undefined;
  const { type, day, limit, cursor } = asked as Record<string, unknown>; // an object's fields, each looked at below
  const types: readonly string[] = SAMPLE_TYPES;
  if (typeof type !== 'string' || !types.includes(type) || typeof day !== 'string' || !isDay(day))
    return undefined;
  if (typeof limit !== 'number' || limit < 10 || limit > 100) return undefined;
  const from = cursor === undefined ? 0 : Number(/^c-(\d+)$/.exec(String(cursor))?.[1]);
  return Number.isSafeInteger(from) ? { type, day, limit, from } : undefined;
}

/** Some days have none; today has the share of it that is over. */
function countOf(type: string, day: string, nowMs: number): number {
  const types: readonly string[] = SAMPLE_TYPES;
  const whole = (mixed(dayStartMs(day) / 86_400_000, types.indexOf(type)) % 9) * 53;
  if (day > dayOf(nowMs)) return 0;
  return day === dayOf(nowMs) ? Math.floor((whole * (nowMs - dayStartMs(day))) / 86_400_000) : whole;
}

function recordOf(type: string, day: string, index: number): object {
  const number = mixed(dayStartMs(day) / 86_400_000, index);
  return {
    id: `${type}_${day.replaceAll('-', '')}_${String(index).padStart(6, '0')}`,
    object: type,
    created: dayStartMs(day) / 1_000 + Math.floor((index * 86_399) / 500),
    amount: number % 100_000,
    currency: ['eur', 'usd', 'gbp'][number % 3],
    card: { brand: ['visa', 'mastercard'][number % 2], last4: String(number % 10_000).padStart(4, '0') },
  };
}

/** The same two numbers always give the same one, which looks like no other. */
function mixed(a: number, b: number): number {
  let value = Math.imul(a, 73_856_093) ^ Math.imul(b + 1, 19_349_663);
  value = Math.imul(value ^ (value >>> 15), 2_246_822_519);
  return (value ^ (value >>> 13)) >>> 0;
}
