// An events API over real sockets with a fault on request: statuses, resets, bodies cut off, waits asked for, cursors that
// repeat or expire, documents that change between two pages. Five shapes of API, one set of documents.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Doc {
  readonly id: string;
  readonly [field: string]: unknown;
}

export const API_KEY = 'sk_test_PLANTED+secret/0123456789==';

/** `original`: POST, cursor in the body. The others are GETs with the day in the query. */
export type Shape = 'original' | 'header-cursor' | 'last-id' | 'link' | 'offset' | 'page';

export interface PageAsk {
  readonly type: string;
  readonly day: string;
  readonly cursor: string | undefined;
  readonly limit: number;
  /** Counts from 1. */
  readonly number: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What is done instead of answering, or with the answer. */
export type ApiFault =
  | { readonly status: number; readonly retryAfter?: string; readonly text?: string }
  | 'reset'
  | 'truncate'
  | 'half-json'
  | { readonly body: unknown };

export interface EventsApi {
  readonly url: string;
  readonly asked: PageAsk[];
  /** By `type/day`; a test may change it between two pages. */
  readonly docs: Map<string, Doc[]>;
  /** Decides over each request; undefined serves it. */
  fault: (ask: PageAsk) => ApiFault | undefined;
  /** Called before a page is made. */
  before: (ask: PageAsk) => void | Promise<void>;
  /** Most requests that were in flight at once. */
  readonly busiest: () => number;
}

export function docsOf(type: string, day: string, count: number): Doc[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${type}_${String(index).padStart(7, '0')}`,
    object: type,
    day,
    amount: index * 7,
    nested: { brand: index % 2 === 0 ? 'visa' : 'mastercard', tags: ['a', `b${index % 3}`] },
  }));
}

export async function startEventsApi(
  t: Pick<TestContext, 'after'>,
  shape: Shape = 'original',
): Promise<EventsApi> {
  const docs = new Map<string, Doc[]>();
  const asked: PageAsk[] = [];
  let busy = 0;
  let busiest = 0;
  const server = createServer((request, response) => {
    busy += 1;
    busiest = Math.max(busiest, busy);
    response.on('close', () => {
      busy -= 1;
    });
    void serve(request, response);
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server's address is never a text or null.
  const { port } = server.address() as AddressInfo;
  const api: EventsApi = {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    docs,
    fault: () => undefined,
    before: () => {},
    busiest: () => busiest,
  };
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const ask = askOf(shape, request, Buffer.concat(chunks).toString('utf8'), asked.length + 1);
    asked.push(ask);
    await api.before(ask);
    const fault = api.fault(ask);
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault instanceof Object && 'status' in fault) {
      const wait = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      response.writeHead(fault.status, wait).end(fault.text ?? 'ordered by the test');
      return;
    }
    const { body, headers } = pageOf(shape, docs.get(`${ask.type}/${ask.day}`) ?? [], ask, api.url);
    const text = JSON.stringify(fault instanceof Object ? fault.body : body);
    if (fault === 'half-json') {
      response.writeHead(200, headers).end(text.slice(0, text.length / 2));
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) });
    if (fault === 'truncate') response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
    else response.end(text);
  }
  return api;
}

function askOf(shape: Shape, request: IncomingMessage, body: string, number: number): PageAsk {
  const url = new URL(request.url ?? '/', 'http://host');
  const rest = { number, headers: request.headers, body };
  if (shape === 'original') {
    const asked = JSON.parse(body) as { type: string; day: string; limit: number; cursor?: string }; // the mover's own body
    return { type: asked.type, day: asked.day, limit: asked.limit, cursor: asked.cursor, ...rest };
  }
  const [type = ''] = url.pathname.split('/').slice(-1);
  const query = url.searchParams;
  const since = query.get('created[gte]');
  const day =
    since === null ? (query.get('date') ?? '') : new Date(Number(since) * 1_000).toISOString().slice(0, 10);
  const cursor = ['cursor', 'starting_after', 'offset', 'page', 'after']
    .map((name) => query.get(name))
    .find((value) => value !== null);
  return { type, day, limit: Number(query.get('limit')), cursor: cursor ?? undefined, ...rest };
}

function pageOf(
  shape: Shape,
  docs: readonly Doc[],
  { cursor, limit, type, day }: PageAsk,
  base: string,
): { body: unknown; headers: Record<string, string> } {
  // A place in the documents that stays right when others are added or taken away.
  const after = (id: string | undefined): Doc[] => docs.filter((doc) => id === undefined || doc.id > id);
  const from =
    shape === 'offset'
      ? docs.slice(Number(cursor ?? 0))
      : shape === 'page'
        ? docs.slice((Number(cursor ?? 1) - 1) * limit)
        : after(cursor);
  const data = from.slice(0, limit);
  const more = from.length > limit;
  const next = more ? data.at(-1)?.id : undefined;
  switch (shape) {
    case 'original':
      return { body: { data, next_cursor: next ?? null }, headers: {} };
    case 'header-cursor':
      return { body: data, headers: next === undefined ? {} : { 'x-next-cursor': next } };
    case 'last-id':
      return { body: { object: 'list', data, has_more: more }, headers: {} };
    case 'link': {
      const url = `${base}/${type}?date=${day}&limit=${limit}&after=${next}`;
      return { body: { items: data }, headers: next === undefined ? {} : { link: `<${url}>; rel="next"` } };
    }
    default:
      return { body: { result: { rows: data } }, headers: {} };
  }
}
