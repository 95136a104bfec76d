// Asking an API for a page, as its description says: one request, one answer, every failure an ApiError with the request
// in curl form. Retries and pace are the caller's.
import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { retryAfterMs } from '../../core/s3/errors.ts';
import { type Answer, ExchangeError, exchange, openTransport, proxyFor } from '../../core/s3/http.ts';
import type { Secret } from '../secret.ts';
import { type Page, readPage } from './answer.ts';
import type { ApiDescription } from './description.ts';
import { ApiError, saidBy } from './errors.ts';
import { fillJson, fillText, valuesOf } from './template.ts';

export interface ApiClientOptions {
  /** `https://host/path`, without a query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly api: ApiDescription;
  readonly key: Secret;
  readonly limit: number;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ApiClient {
  /** @param cursor undefined for the first page. Rejects with ApiError alone. */
  page(
    unit: { readonly type: string; readonly day: string },
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<Page>;
  close(): Promise<void>;
}

interface PageRequest {
  readonly method: 'GET' | 'POST';
  readonly origin: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
}

const PAGE_MAX_BYTES = 64 * 2 ** 20;
const CONNECT_TIMEOUT_MS = 10_000;

export async function openApiClient(options: ApiClientOptions): Promise<ApiClient> {
  const { api, key, clock } = options;
  const origin = new URL(options.url).origin;
  const timeoutMs = api.timeout_seconds * 1_000;
  const transport: Dispatcher = await openTransport({
    origin,
    maxSockets: api.concurrency,
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    ca: undefined,
    proxy: proxyFor(origin, options.env),
  });

  return {
    async page(unit, cursor, signal) {
      const request = pageRequest(options, unit, cursor);
      const curl = curlOf(request, key);
      const where = `${request.method} ${origin}${key.mask(request.path)}`;
      const explained = (error: ApiError): ApiError =>
        new ApiError(error.fault, `${where} (${unit.type} ${unit.day}): ${key.mask(error.message)}`, {
          status: error.status,
          retryAfterMs: error.retryAfterMs,
          isOverload: error.isOverload,
          curl,
        });
      let answer: Answer;
      try {
        const { method, path, headers, body } = request;
        answer = await exchange(
          transport,
          origin,
          { method, path, headers, body, timeoutMs, maxAnswerBytes: PAGE_MAX_BYTES },
          signal,
        );
      } catch (error) {
        throw explained(transportError(error));
      }
      try {
        if (api.errors.empty.includes(answer.status)) return { records: [], next: undefined };
        if (answer.status < 200 || answer.status > 299) throw statusError(api, answer, cursor, clock.now());
        return readPage(api, answer, cursor);
      } catch (error) {
        throw error instanceof ApiError ? explained(error) : error;
      }
    },
    close: () => transport.close(),
  };
}

/** What is sent for a page. Throws ApiError `data` when a link leads to another server: the key would go there too. */
function pageRequest(
  options: ApiClientOptions,
  unit: { readonly type: string; readonly day: string },
  cursor: string | undefined,
): PageRequest {
  const { api, key, limit } = options;
  const values = valuesOf(api, unit, limit, cursor);
  let url: URL;
  if (api.page.by === 'link' && cursor !== undefined) {
    const base = new URL(options.url);
    url = new URL(cursor, base);
    if (url.origin !== base.origin)
      throw new ApiError(
        'data',
        `The next page of ${unit.type} ${unit.day} is said to be at ${key.mask(url.origin)}, another server than ${base.origin}: the key is not sent there.`,
      );
  } else {
    url = new URL(options.url + (fillText(api.path, values, encodeURIComponent) ?? ''));
    for (const [name, template] of Object.entries(api.query)) {
      const text = fillText(template, values);
      if (text !== undefined) url.searchParams.append(name, text);
    }
  }
  const filled = api.body === undefined || api.method === 'GET' ? undefined : fillJson(api.body, values);
  const headers = new Map<string, string>([['accept', 'application/json']]);
  if (filled !== undefined) headers.set('content-type', 'application/json');
  for (const [name, value] of Object.entries(options.headers)) headers.set(name.toLowerCase(), value);
  const [name, value] = credentials(api, key);
  if (name !== '') headers.set(name.toLowerCase(), value);
  return {
    method: api.method,
    origin: url.origin,
    path: url.pathname + url.search,
    headers: [...headers].flat(),
    body: filled === undefined ? null : Buffer.from(JSON.stringify(filled)),
  };
}

function credentials({ auth }: ApiDescription, key: Secret): [name: string, value: string] {
  if (auth === 'none') return ['', ''];
  if ('header' in auth) return [auth.header, auth.value.replaceAll('{key}', () => key.reveal())];
  return ['authorization', `Basic ${Buffer.from(`${key.reveal()}:`).toString('base64')}`];
}

/** The request as a person can repeat it, the key left out. */
function curlOf({ method, origin, path, headers, body }: PageRequest, key: Secret): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const words = ['curl', '-X', method, quote(origin + path)];
  for (let index = 0; index < headers.length; index += 2)
    words.push('-H', quote(`${headers[index]}: ${headers[index + 1]}`));
  if (body !== null) words.push('--data', quote(body.toString()));
  return key.mask(words.join(' '));
}

function statusError(
  api: ApiDescription,
  answer: Answer,
  cursor: string | undefined,
  nowMs: number,
): ApiError {
  const { status } = answer;
  const said = saidBy(answer);
  const message = `it answered HTTP ${status}${said === '' ? '' : `: ${said}`}`;
  const isRetried = api.errors.retry.includes(status);
  const fault = isRetried
    ? 'transient'
    : cursor !== undefined && api.errors.expired.includes(status)
      ? 'expired'
      : 'refused';
  return new ApiError(fault, message, {
    status,
    retryAfterMs: retryAfterMs(String(answer.headers['retry-after'] ?? ''), nowMs),
    isOverload: isRetried,
  });
}

function transportError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ExchangeError) {
    if (error.reason === 'aborted') return new ApiError('aborted', 'Ferry is stopping', { cause: error });
    if (error.reason === 'too-long') return new ApiError('data', messageOf(error), { cause: error });
  }
  const code = errnoOf(error);
  const why = messageOf(error) || code || 'no reason given';
  return new ApiError('transient', `no whole answer came: ${why}${code === undefined ? '' : ` (${code})`}`, {
    cause: error,
    isOverload: true,
  });
}
