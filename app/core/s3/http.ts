// One HTTP exchange over pooled connections: a whole request out, a whole bounded answer in, no retry, no redirect.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool as UndiciPool } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';
import { monotonicMs } from '../clock.ts';

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
  // The package as a whole: in the bundle a CommonJS package that is imported at run time has no names of its own.
  const { EnvHttpProxyAgent } = (await import('undici')).default;
  return new EnvHttpProxyAgent({
    ...pooled,
    httpProxy: options.proxy.url,
    httpsProxy: options.proxy.url,
    noProxy: options.proxy.noProxy,
    // To the proxy too: it asks for HTTP/2 unless told otherwise.
    requestTls: { ...tls, allowH2: false, timeout: options.connectTimeoutMs },
    proxyTls: { ...tls, allowH2: false, timeout: options.connectTimeoutMs },
  });
}

const NO_HEADERS: IncomingHttpHeaders = {};

/** Exchanges under way that one signal stops. */
interface UnderWay {
  /** Answers the place to give back. */
  add(exchange: ExchangeHandler): number;
  remove(place: number): void;
}

const bySignal = new WeakMap<AbortSignal, UnderWay>();

/** One listener for all requests under a signal: adding one costs 2 us. */
function underWay(signal: AbortSignal): UnderWay {
  const known = bySignal.get(signal);
  if (known) return known;
  // Places, not a Set: one that is added to and deleted from leaves old tables behind, each of which holds on to the next
  // and to its requests until the next full collection. That kept most of a request alive and cost a tenth of the CPU.
  const places: (ExchangeHandler | undefined)[] = [];
  const free: number[] = [];
  signal.addEventListener('abort', () => {
    for (const one of [...places]) one?.stop(new ExchangeError('aborted', 'stopped'));
  });
  const all: UnderWay = {
    add(exchange) {
      const place = free.pop() ?? places.length;
      places[place] = exchange;
      return place;
    },
    remove(place) {
      places[place] = undefined;
      free.push(place);
    },
  };
  bySignal.set(signal, all);
  return all;
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
    const { method, path, headers, body, timeoutMs } = request;
    const handler = new ExchangeHandler(request, signal, resolve, reject);
    const options = {
      origin,
      method,
      path,
      headers,
      body,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    };
    transport.dispatch(options, handler);
  });
}

/** One exchange under way. A class, since closures would be nine more objects for each file. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #request: Exchange;
  readonly #signal: AbortSignal | undefined;
  readonly #underWay: UnderWay | undefined;
  #place: number | undefined;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = NO_HEADERS;
  #untilMs = 0;
  #chunks: Buffer[] | undefined;
  #length = 0;

  constructor(
    request: Exchange,
    signal: AbortSignal | undefined,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#underWay = signal && underWay(signal);
    this.#place = this.#underWay?.add(this);
  }

  stop(error: Error): void {
    this.#controller?.abort(error);
    this.#forget();
    this.#reject(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) controller.abort(new ExchangeError('aborted', 'stopped'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxAnswerBytes, timeoutMs } = this.#request;
    const nowMs = monotonicMs();
    this.#untilMs ||= nowMs + timeoutMs;
    this.#length += chunk.length;
    if (this.#length > maxAnswerBytes) {
      this.stop(new ExchangeError('too-long', `the answer is longer than ${maxAnswerBytes} bytes`));
    } else if (nowMs > this.#untilMs) {
      this.stop(new ExchangeError('timeout', `the answer did not end within ${timeoutMs} ms`));
    } else if (this.#chunks) this.#chunks.push(chunk);
    else this.#chunks = [chunk];
  }

  onResponseEnd(): void {
    this.#forget();
    const body = this.#chunks === undefined ? '' : Buffer.concat(this.#chunks, this.#length).toString('utf8');
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#forget();
    this.#reject(error);
  }

  #forget(): void {
    if (this.#place === undefined) return;
    this.#underWay?.remove(this.#place);
    this.#place = undefined;
  }
}
