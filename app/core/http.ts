// The health server: /metrics for Prometheus, /livez and /readyz for the kubelet, and a page for people where there is
// one. There is nothing to write to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errnoOf, FerryError, messageOf } from './errors.ts';

/** What a probe answers; the reason is one sentence for people. */
export interface Health {
  readonly ok: boolean;
  readonly reason: string;
}

/** Resolves with true once it has answered, or begun to. Only GET and HEAD come here. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export interface HealthServerOptions {
  /** The address to listen on, e.g. `0.0.0.0`, `127.0.0.1`, `::`. */
  readonly host: string;
  /** 0: any free port; see `address`. */
  readonly port: number;
  readonly metrics: () => Promise<string>;
  /** Of the metrics, e.g. prom-client's `registry.contentType`. */
  readonly contentType: string;
  /** Whether the process still turns. Must not depend on the store: a restart cures no credentials. */
  readonly live: () => Health;
  /** Whether the process does its work. */
  readonly ready: () => Health;
  /** Answers every other path, or answers false. */
  readonly page?: PageHandler | undefined;
}

export interface HealthServer {
  /** Where it listens, as `host:port`. */
  readonly address: string;
  readonly port: number;
  /** Stops listening and ends every connection, idle or not. Safe to call twice. */
  close(): Promise<void>;
}

/** Far above a scrape's real need: a client that sends its request this slowly is not a probe. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Prometheus scrapes every 15-60 s; a socket kept that long gains nothing. */
const KEEP_ALIVE_MS = 5_000;
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 1024;

/** Starts to listen. Rejects with FerryError('config') when the address cannot be used. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        // A broken metric must not take the mover down; the scrape fails and says why.
        reply(request, response, 500, `The answer could not be made: ${messageOf(error)}\n`);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(options, error)));
    server.listen(options.port, options.host, resolve);
  });
  // A server that listens on TCP has an AddressInfo; only a pipe has a string.
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: `${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    port,
    close() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function answer(
  options: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    reply(request, response, 405, 'Only GET and HEAD are answered.\n');
    return;
  }
  switch ((request.url ?? '/').split('?', 1)[0]) {
    case '/metrics':
      reply(request, response, 200, await options.metrics(), options.contentType);
      return;
    case '/livez':
      replyHealth(request, response, options.live());
      return;
    case '/readyz':
      replyHealth(request, response, options.ready());
      return;
    default:
      if (await options.page?.(request, response)) return;
      reply(request, response, 404, 'There is /metrics, /livez and /readyz.\n');
  }
}

function replyHealth(request: IncomingMessage, response: ServerResponse, health: Health): void {
  reply(request, response, health.ok ? 200 : 503, `${JSON.stringify(health)}\n`, 'application/json');
}

function reply(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  if (response.headersSent || response.destroyed) return;
  // A request's body is never read: without this its connection would wait for one.
  if (status === 405) response.setHeader('connection', 'close');
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listenError(options: HealthServerOptions, error: Error): FerryError {
  const where = `${options.host}:${options.port}`;
  const remedies: Record<string, [why: string, remedy: string]> = {
    EADDRINUSE: [
      'another process listens there',
      'Stop the other process or choose another port with --listen; port 0 takes any free one.',
    ],
    EACCES: ['this user may not', 'Choose a port above 1023 with --listen.'],
    EADDRNOTAVAIL: [
      'this machine has no such address',
      'Choose an address of this machine with --listen, e.g. 127.0.0.1:9464, or 0.0.0.0:9464 for all.',
    ],
    ENOTFOUND: [
      'the name has no address',
      'Give --listen an IP address, e.g. 127.0.0.1:9464, or 0.0.0.0:9464 for all.',
    ],
  };
  const [why, remedy] = remedies[errnoOf(error) ?? ''] ?? [
    messageOf(error),
    'Choose another --listen address.',
  ];
  return new FerryError('config', `The health server cannot listen on ${where}: ${why}.`, remedy, {
    cause: error,
  });
}
