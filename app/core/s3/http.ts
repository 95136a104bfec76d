// One HTTP exchange over pooled connections: a whole request out, a whole bounded answer in, no retry, no redirect.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool as UndiciPool } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';

export interface Exchange {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  /** From the start of sending to the answer's head, and again from there to its end. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Thrown where undici has no error of its own. */
export class ExchangeError extends Error {
  readonly reason: 'aborted' | 'timeout' | 'too-long';
  constructor(reason: 'aborted' | 'timeout' | 'too-long', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface TransportOptions {
  /** `https://host:port`. */
  readonly origin: string;
  readonly maxSockets: number;
  readonly connectTimeoutMs: number;
  /** PEM; replaces the built-in authorities. */
  readonly ca: string | undefined;
  readonly proxy: ProxyChoice | undefined;
}

/** A proxy's URL and the hosts that are reached without it, spelled as in NO_PROXY. */
export interface ProxyChoice {
  readonly url: string;
  readonly noProxy: string;
}

/** The proxy that the environment names for this origin's scheme, if any. Small letters win, as in curl. */
export function proxyFor(origin: string, env: NodeJS.ProcessEnv): ProxyChoice | undefined {
  const url = origin.startsWith('https:')
    ? (env.https_proxy ?? env.HTTPS_PROXY)
    : (env.http_proxy ?? env.HTTP_PROXY);
  return url ? { url, noProxy: env.no_proxy ?? env.NO_PROXY ?? '' } : undefined;
}

/** Connections to one origin: kept alive, at most `maxSockets`, one request at a time on each. */
export async function openTransport(options: TransportOptions): Promise<Dispatcher> {
  const tls = options.ca === undefined ? {} : { ca: options.ca };
  const pooled: UndiciPool.Options = {
    connections: options.maxSockets,
    pipelining: 1,
    allowH2: false,
    connectTimeout: options.connectTimeoutMs,
    connect: { ...tls, timeout: options.connectTimeoutMs },
  };
  if (options.proxy === undefined) return new Pool(options.origin, pooled);
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    ...pooled,
    httpProxy: options.proxy.url,
    httpsProxy: options.proxy.url,
    noProxy: options.proxy.noProxy,
    requestTls: { ...tls, timeout: options.connectTimeoutMs },
    proxyTls: { ...tls, timeout: options.connectTimeoutMs },
  });
}

const waitingBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/** Who must be told when this signal aborts: one listener for all requests, since adding one to a signal costs 2 us. */
function waitingFor(signal: AbortSignal): Set<() => void> {
  let waiting = waitingBySignal.get(signal);
  if (waiting === undefined) {
    const all = new Set<() => void>();
    waiting = all;
    waitingBySignal.set(signal, all);
    signal.addEventListener('abort', () => {
      for (const onAbort of [...all]) onAbort();
    });
  }
  return waiting;
}

/** Rejects with undici's errors or an ExchangeError. An answer of any status resolves. */
export function exchange(
  transport: Dispatcher,
  origin: string,
  request: Exchange,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new ExchangeError('aborted', 'stopped before it was sent'));
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let answerHeaders: IncomingHttpHeaders = {};
    let answerUntilMs = 0;
    let chunks: Buffer[] | undefined;
    let length = 0;

    const stop = (error: Error) => {
      controller?.abort(error);
      forget();
      reject(error);
    };
    const onAbort = () => stop(new ExchangeError('aborted', 'stopped'));
    const waiting = signal === undefined ? undefined : waitingFor(signal);
    waiting?.add(onAbort);
    const forget = () => waiting?.delete(onAbort);

    transport.dispatch(
      {
        origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
        headersTimeout: request.timeoutMs,
        bodyTimeout: request.timeoutMs,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal?.aborted) started.abort(new ExchangeError('aborted', 'stopped'));
        },
        onResponseStart(_, statusCode, headers) {
          if (statusCode < 200) return;
          status = statusCode;
          answerHeaders = headers;
        },
        onResponseData(_, chunk) {
          const nowMs = performance.now();
          answerUntilMs ||= nowMs + request.timeoutMs;
          length += chunk.length;
          if (length > request.maxAnswerBytes) {
            stop(new ExchangeError('too-long', `the answer is longer than ${request.maxAnswerBytes} bytes`));
          } else if (nowMs > answerUntilMs) {
            stop(new ExchangeError('timeout', `the answer did not end within ${request.timeoutMs} ms`));
          } else if (chunks) chunks.push(chunk);
          else chunks = [chunk];
        },
        onResponseEnd() {
          forget();
          const body = chunks === undefined ? '' : Buffer.concat(chunks, length).toString('utf8');
          resolve({ status, headers: answerHeaders, body });
        },
        onResponseError(_, error) {
          forget();
          reject(error);
        },
      },
    );
  });
}
