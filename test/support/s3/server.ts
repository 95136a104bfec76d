// A strict S3 in this process, for tests: it verifies signatures, checksums and conditions as S3 does, refuses what it
// does not know, shows what it stored and was asked, and breaks on order.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Answer, errorAnswer, Refusal } from './answer.ts';
import { createFaults, type FaultAction, type Faults, type S3Operation, type S3Request } from './faults.ts';
import type { S3Upload } from './multipart.ts';
import { createObjectTable, type StoredS3Object } from './objects.ts';
import { type Permission, parseRequest } from './request.ts';
import { createService, type Service } from './service.ts';
import type { Credentials } from './signature.ts';

export interface S3ServerOptions {
  /** Default `ferry-test`. */
  readonly bucket?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Where the bucket really is: anything else than `region` answers 301 PermanentRedirect. */
  readonly bucketRegion?: string;
  /** False keeps hashes and sizes only, for very many objects: GET then answers 500. Default true. */
  readonly keepBodies?: boolean;
  /** `kms`: as a bucket with SSE-KMS by default, whose ETags are not MD5s. Default `none`. */
  readonly sse?: 'none' | 'kms';
  readonly deny?: readonly Permission[];
  /** A key and certificate in PEM: serve https. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface S3LogEntry {
  readonly number: number;
  readonly method: string;
  readonly op: S3Operation;
  readonly key: string;
  /** Of a listing; empty when it has none. */
  readonly prefix: string;
  /** 0: the connection was broken by order, or by the client. */
  readonly status: number;
  /** S3's error code; empty on success. */
  readonly code: string;
  readonly bodyBytes: number;
}

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly objects: ReadonlyMap<string, StoredS3Object>;
  /** Unfinished multipart uploads by id. */
  readonly uploads: ReadonlyMap<string, S3Upload>;
  /** In the order of their answers. */
  readonly requests: readonly S3LogEntry[];
  readonly faults: Faults;
  /** Connections accepted so far. */
  connections(): number;
  /** The most that were open at once so far. */
  mostConnections(): number;
  /** The server's clock against this machine's. */
  setClockSkewMs(ms: number): void;
  /** From now on only these are known; the first ones are `accessKeyId` and `secretAccessKey`. */
  setCredentials(credentials: readonly Credentials[]): void;
  /** From now on these answer 403 AccessDenied. */
  deny(permissions: readonly Permission[]): void;
  /** Puts an object there without a request. */
  place(key: string, body: Buffer): void;
  /** Takes an object away without a request. */
  remove(key: string): void;
  /** Breaks what is open and resolves when the port is free. */
  close(): Promise<void>;
}

const ACCESS_KEY_ID = 'AKIAFERRYTEST0000001';
const SECRET_ACCESS_KEY = 'ferry/test+secret/key00000000000000000001';

/** Listens on a free port of 127.0.0.1. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const bucket = options.bucket ?? 'ferry-test';
  const region = options.region ?? 'us-east-1';
  const objects = createObjectTable(options.keepBodies ?? true);
  const uploads = new Map<string, S3Upload>();
  const requests: S3LogEntry[] = [];
  const faults = createFaults();
  const service: Service = {
    bucket,
    region,
    bucketRegion: options.bucketRegion ?? region,
    sse: options.sse ?? 'none',
    objects,
    uploads,
    credentials: [{ accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY }],
    denied: new Set(options.deny),
    skewMs: 0,
  };
  const serve = createService(service);
  let count = 0;
  let connections = 0;
  let open = 0;
  let mostOpen = 0;
  const now = (): number => Date.now() + service.skewMs;

  async function onRequest(message: IncomingMessage, response: ServerResponse): Promise<void> {
    count += 1;
    const number = count;
    let request: S3Request;
    let parseRefusal: Refusal | undefined;
    try {
      request = parseRequest(message, number, bucket);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      parseRefusal = error;
      const method = message.method ?? '';
      request = { number, method, op: 'Unknown', bucket: '', key: '', query: new Map(), headers: {} };
    }
    const { method, op, key, query } = request;
    const prefix = query.get('prefix') ?? '';
    const note = (status: number, code = '', bodyBytes = 0): void => {
      requests.push({ number, method, op, key, prefix, status, code, bodyBytes });
    };
    const fault = faults.match(request);
    if (fault?.kind === 'reset') {
      note(0);
      message.socket.resetAndDestroy();
      return;
    }
    const raw = await readBody(
      message,
      fault?.kind === 'reset-mid-body' ? (fault.afterBytes ?? 1) : undefined,
    );
    if (!raw || fault?.kind === 'reset-mid-body') {
      note(0);
      message.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === 'hold' && fault.at === 'before') await fault.gate.pass();
    let answer: Answer;
    try {
      if (parseRefusal) throw parseRefusal;
      answer =
        fault?.kind === 'status'
          ? orderedAnswer(fault)
          : serve(message, request, raw, fault?.kind === 'listing' ? fault.lie : undefined);
    } catch (error) {
      const unexpected = errorAnswer(500, 'InternalError', `The test server failed: ${String(error)}`);
      answer = error instanceof Refusal ? error.answer : unexpected;
    }
    if (fault?.kind === 'hold' && fault.at === 'after') await fault.gate.pass();
    if (fault?.kind === 'lost-answer') {
      note(0, '', raw.length);
      message.socket.resetAndDestroy();
      return;
    }
    const code = /<Error><Code>(\w+)</.exec(String(answer.status >= 300 ? answer.body : ''))?.[1] ?? '';
    note(answer.status, code, raw.length);
    if (service.skewMs !== 0) response.setHeader('date', new Date(now()).toUTCString());
    if (fault?.kind === 'half-reply') sendHalf(message, response, answer);
    else send(message, response, answer, number);
  }

  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    void onRequest(message, response);
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    connections += 1;
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    socket.on('close', () => {
      open -= 1;
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is never a text or null while it listens.
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    bucket,
    region,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    objects: objects.map,
    uploads,
    requests,
    faults,
    connections: () => connections,
    mostConnections: () => mostOpen,
    setClockSkewMs(ms) {
      service.skewMs = ms;
    },
    setCredentials(known) {
      service.credentials = known;
    },
    deny(permissions) {
      service.denied = new Set(permissions);
    },
    place(key, bytes) {
      const serverSideEncryption = options.sse === 'kms' ? 'aws:kms' : undefined;
      const object = {
        bytes,
        checksum: undefined,
        metadata: {},
        serverSideEncryption,
        lastModifiedMs: now(),
      };
      objects.store(key, object, false);
    },
    remove: objects.remove,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function orderedAnswer(fault: Extract<FaultAction, { kind: 'status' }>): Answer {
  const headers: Record<string, string> = { ...fault.headers };
  if (fault.retryAfterSeconds !== undefined) headers['retry-after'] = String(fault.retryAfterSeconds);
  return errorAnswer(fault.status, fault.code, 'Ordered by the test.', { headers });
}

/** Undefined when the client went away, or when `stopAfterBytes` were read. */
function readBody(message: IncomingMessage, stopAfterBytes?: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (stopAfterBytes !== undefined && length >= stopAfterBytes) resolve(undefined);
    });
    message.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    message.on('error', () => resolve(undefined));
    message.on('close', () => resolve(undefined));
  });
}

function send(message: IncomingMessage, response: ServerResponse, answer: Answer, number: number): void {
  const body = message.method === 'HEAD' ? '' : (answer.body ?? '');
  const length = answer.headers?.['content-length'] ?? String(Buffer.byteLength(body));
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.status === 204 ? {} : { 'content-length': length }),
    'x-amz-request-id': String(number),
  });
  response.end(body);
}

function sendHalf(message: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(message.method === 'HEAD' ? '' : (answer.body ?? ''));
  const breakOff = (): void => {
    message.socket.destroy();
  };
  if (body.length < 2) {
    message.socket.write(`HTTP/1.1 ${answer.status} OK\r\nx-amz-`, breakOff);
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(body.length) });
  response.write(body.subarray(0, Math.floor(body.length / 2)), breakOff);
}
