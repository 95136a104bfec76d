// A null S3: counts, hashes and forgets bodies, answers PUT, HEAD and LIST correctly. What a client costs shows best
// against a server that costs little. A process of its own: `node bench/null-s3.ts [KEY.pem CERT.pem]` prints its port
// and ends when its standard input does.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createObjects, decodeAwsChunks } from './null-s3-objects.ts';

const objects = createObjects();
let counts: Record<string, number> = {};

const count = (name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

const handle: RequestListener = (request, response) => {
  response.sendDate = false;
  const url = request.url ?? '/';
  const queryAt = url.indexOf('?');
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  const query = queryAt === -1 ? '' : url.slice(queryAt + 1);
  const keyAt = path.indexOf('/', 1);
  const rawKey = keyAt === -1 ? '' : path.slice(keyAt + 1);
  const key = rawKey.includes('%') ? decodeURIComponent(rawKey) : rawKey;
  if (path.startsWith('/-/')) control(key, new URLSearchParams(query), response);
  else if (request.method === 'PUT' && key !== '') receive(key, query, request, response);
  else answer(key, new URLSearchParams(query), request, response);
};

function receive(key: string, query: string, request: IncomingMessage, response: ServerResponse): void {
  count('PUT');
  if (query.includes('uploadId') || request.headers['x-amz-copy-source'] !== undefined) {
    refuse(response, 501, 'NotImplemented');
    request.resume();
    return;
  }
  let body: Buffer | undefined;
  request.on('data', (chunk: Buffer) => {
    body = body === undefined ? chunk : Buffer.concat([body, chunk]);
  });
  request.on('end', () => {
    let content = body ?? Buffer.alloc(0);
    if (request.headers['x-amz-decoded-content-length'] !== undefined) {
      try {
        content = decodeAwsChunks(content);
      } catch {
        return refuse(response, 400, 'IncompleteBody');
      }
    }
    if (request.headers['if-none-match'] === '*' && objects.get(key) !== undefined) {
      count('412');
      return refuse(response, 412, 'PreconditionFailed');
    }
    const etag = objects.put(key, content);
    response.writeHead(200, ['etag', `"${etag}"`, 'content-length', '0']).end();
  });
}

function answer(
  key: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  const method = request.method ?? '';
  if (method === 'GET' && key === '' && !query.has('location')) {
    count('LIST');
    const xml = objects.list(query);
    response
      .writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) })
      .end(xml);
    return;
  }
  count(method);
  if (method === 'GET' && key === '') response.end('<LocationConstraint/>');
  else if (method === 'HEAD') {
    const object = objects.get(key);
    if (key === '') response.writeHead(200);
    else if (object === undefined) response.writeHead(404);
    else {
      response.writeHead(200, {
        etag: `"${object.etag}"`,
        'content-length': object.size,
        'last-modified': new Date(object.putAtMs).toUTCString(),
      });
    }
    response.end();
  } else if (method === 'PUT') response.writeHead(200, { 'content-length': 0 }).end();
  else if (method === 'GET') refuse(response, 404, 'NoSuchKey');
  else refuse(response, 501, 'NotImplemented');
}

/** The bench's own questions: what was asked, what is stored, forget it. */
function control(what: string, query: URLSearchParams, response: ServerResponse): void {
  if (what === 'counts') response.end(JSON.stringify(counts));
  else if (what === 'stored') response.end(JSON.stringify(objects.stored(query.get('prefix') ?? '')));
  else if (what === 'forget') {
    objects.clear();
    counts = {};
    response.end();
  } else if (what === 'recount') {
    counts = {};
    response.end();
  } else response.writeHead(404).end();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': xml.length }).end(xml);
}

const [keyFile, certFile] = process.argv.slice(2);
const options = { keepAliveTimeout: 120_000, noDelay: true };
const server =
  keyFile !== undefined && certFile !== undefined
    ? createTlsServer({ ...options, key: readFileSync(keyFile), cert: readFileSync(certFile) }, handle)
    : createServer(options, handle);
server.listen(0, '127.0.0.1', 4_096, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
});
process.stdin.resume().once('end', () => process.exit());
