// What the S3 store's tests share: a store over a strict server, a store over a server that answers as told.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { StoreError } from '../../../app/core/errors.ts';
import { openS3Store, type S3StoreOptions } from '../../../app/core/s3/store.ts';
import type { Store } from '../../../app/core/store.ts';
import { type S3Server, type S3ServerOptions, startS3Server } from '../../support/s3/server.ts';

export const BODY = Buffer.from('content');
export const sha256 = (body: Buffer) => hash('sha256', body, 'hex');

/** A strict server and a store below `p/` on it, both closed after the test. */
export async function setUp(
  t: TestContext,
  options: Partial<S3StoreOptions> = {},
  serverOptions: S3ServerOptions = {},
): Promise<{ server: S3Server; store: Store }> {
  const server = await startS3Server(serverOptions);
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const fixed = { bucket, prefix: 'p/', endpoint, region, credentials, mayRead: true, env: {} };
  const store = await openS3Store({ ...fixed, ...options });
  t.after(async () => {
    await server.close();
    await store.close();
  });
  return { server, store };
}

/** A server that answers as told, for what no correct S3 says. */
export async function scripted(
  t: TestContext,
  listener: RequestListener,
  requestTimeoutMs = 20_000,
): Promise<Store> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => listener(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server's address is never a text or null.
  const { port } = server.address() as AddressInfo;
  const store = await openS3Store({
    bucket: 'bucket',
    prefix: '',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'id', secretAccessKey: 'very-secret' },
    mayRead: true,
    requestTimeoutMs,
    env: {},
  });
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await store.close();
  });
  return store;
}

export const put = (store: Store, key = 'key', signal?: AbortSignal) =>
  store.put(key, BODY, sha256(BODY), signal);

/** The StoreError that the promise must reject with. */
export async function failure(promise: Promise<unknown>): Promise<StoreError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StoreError, `a StoreError, not ${String(error)}`);
  return error;
}
