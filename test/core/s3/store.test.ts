// The S3 store against a strict server on a real socket: what every refusal, silence and broken connection becomes.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { FerryError, type StoreFault } from '../../../app/core/errors.ts';
import { openS3Store } from '../../../app/core/s3/store.ts';
import { createGate, type FaultAction } from '../../support/s3/faults.ts';
import { BODY, failure, put, scripted, setUp, sha256 } from './setup.ts';

const ANSWERS: readonly (readonly [number, string, StoreFault])[] = [
  [503, 'SlowDown', 'throttled'],
  [503, 'ServiceUnavailable', 'throttled'],
  [429, 'TooManyRequests', 'throttled'],
  [400, 'ThrottlingException', 'throttled'],
  [500, 'InternalError', 'unavailable'],
  [502, 'BadGateway', 'unavailable'],
  [504, 'GatewayTimeout', 'unavailable'],
  [409, 'ConditionalRequestConflict', 'conflict'],
  [409, 'OperationAborted', 'conflict'],
  [403, 'AccessDenied', 'denied'],
  [403, 'InvalidAccessKeyId', 'denied'],
  [403, 'SignatureDoesNotMatch', 'denied'],
  [404, 'NoSuchBucket', 'no-bucket'],
  [301, 'PermanentRedirect', 'wrong-region'],
  [307, 'TemporaryRedirect', 'wrong-region'],
  [400, 'AuthorizationHeaderMalformed', 'wrong-region'],
  [400, 'ExpiredToken', 'expired'],
  [403, 'RequestTimeTooSkewed', 'skew'],
  [400, 'BadDigest', 'corrupt'],
  [400, 'InvalidDigest', 'corrupt'],
  [400, 'XAmzContentSHA256Mismatch', 'corrupt'],
  [400, 'RequestTimeout', 'timeout'],
  [400, 'IncompleteBody', 'network'],
  [400, 'InvalidArgument', 'bad-request'],
  [501, 'NotImplemented', 'bad-request'],
];

test("every refusal becomes its fault, with the server's code and sentence and the place", async (t) => {
  const { server, store } = await setUp(t);
  for (const [status, code, fault] of ANSWERS) {
    const action: FaultAction = { kind: 'status', status, code };
    for (const call of [() => put(store), () => store.list('', '')]) {
      server.faults.add({ when: () => true, times: 1, do: action });
      const error = await failure(call());
      assert.equal(error.fault, fault, code);
      assert.equal(error.code, code);
      assert.ok(
        error.message.includes(`${code}: Ordered by the test. (HTTP ${status}; request `),
        error.message,
      );
      assert.ok(
        error.message.includes(`s3://${server.bucket}/p/`) && error.message.includes(server.endpoint),
      );
    }
  }
  assert.equal((await put(store)).outcome, 'created');
});

test('reading has the same faults as writing', async (t) => {
  const { server, store } = await setUp(t);
  for (const [status, code, fault] of ANSWERS) {
    server.faults.add({ when: () => true, times: 1, do: { kind: 'status', status, code } });
    const error = await failure(store.get('key'));
    assert.deepEqual([error.fault, error.code], [fault, code], `${status} ${code}`);
  }
  server.deny(['read']);
  const error = await failure(store.head('key'));
  assert.equal(error.fault, 'denied');
  assert.doesNotMatch(error.message, /Unknown/);
});

test('Retry-After is told in milliseconds, as seconds or as a date', async (t) => {
  const { server, store } = await setUp(t, { clock: { now: Date.now, sleep: async () => undefined } });
  const slow = { kind: 'status', status: 503, code: 'SlowDown' } as const;
  server.faults.add({ when: () => true, times: 1, do: { ...slow, retryAfterSeconds: 7 } });
  assert.equal((await failure(put(store))).retryAfterMs, 7_000);
  const date = new Date(Date.now() + 60_000).toUTCString();
  server.faults.add({ when: () => true, times: 1, do: { ...slow, headers: { 'retry-after': date } } });
  const afterMs = (await failure(put(store))).retryAfterMs ?? 0;
  assert.ok(afterMs > 50_000 && afterMs <= 60_000, String(afterMs));
  server.faults.add({ when: () => true, times: 1, do: slow });
  assert.equal((await failure(put(store))).retryAfterMs, undefined);
});

test('a bucket elsewhere names its region', async (t) => {
  const { store } = await setUp(t, {}, { bucketRegion: 'eu-central-1' });
  const error = await failure(put(store));
  assert.equal(error.fault, 'wrong-region');
  assert.match(error.message, /set --region eu-central-1/);
});

test('a clock that is wrong is told by how much', async (t) => {
  const { server, store } = await setUp(t);
  server.setClockSkewMs(3_600_000);
  const error = await failure(put(store));
  assert.equal(error.fault, 'skew');
  assert.match(error.message, /clock is 3[56]\d\d s behind the server's/);
});

test('no message holds a secret', async (t) => {
  const { server, store } = await setUp(t);
  server.setCredentials([]);
  const error = await failure(put(store));
  assert.equal(error.fault, 'denied');
  assert.ok(!JSON.stringify([error, error.message, error.cause]).includes(server.secretAccessKey));
});

test('a body that is not what its checksum says is refused as corrupt and leaves nothing', async (t) => {
  const { server, store } = await setUp(t);
  const error = await failure(store.put('key', BODY, sha256(Buffer.from('other'))));
  assert.equal(error.fault, 'corrupt');
  assert.equal(server.objects.size, 0);
});

test('a lost answer is a network fault, and the same put again answers exists', async (t) => {
  const { server, store } = await setUp(t);
  for (const kind of ['lost-answer', 'half-reply'] as const) {
    server.faults.add({ when: () => true, times: 1, do: { kind } });
    assert.equal((await failure(put(store, kind))).fault, 'network');
    assert.deepEqual(await put(store, kind), { outcome: 'exists' });
  }
});

test('a connection reset before or in the middle of a body is a network fault and is not tried again', async (t) => {
  const { server, store } = await setUp(t);
  for (const kind of ['reset', 'reset-mid-body'] as const) {
    server.faults.add({ when: () => true, times: 1, do: { kind } });
    assert.equal((await failure(put(store))).fault, 'network');
  }
  assert.deepEqual(
    server.requests.map(({ status }) => status),
    [0, 0],
  );
  assert.equal((await put(store)).outcome, 'created');
});

test('a listing cut off by the connection is an error, never a short page', async (t) => {
  const { server, store } = await setUp(t);
  await put(store);
  server.faults.add({ when: ({ op }) => op === 'ListObjectsV2', times: 1, do: { kind: 'half-reply' } });
  assert.equal((await failure(store.list('', ''))).fault, 'network');
  assert.equal((await store.list('', '')).objects.length, 1);
});

test('a server that does not answer is a timeout', async (t) => {
  const { server, store } = await setUp(t, { requestTimeoutMs: 200 });
  const gate = createGate();
  t.after(gate.release);
  server.faults.add({ when: () => true, do: { kind: 'hold', gate, at: 'before' } });
  const calls = [put(store), store.list('', ''), store.head('key'), store.get('key')];
  for (const error of await Promise.all(calls.map(failure))) assert.equal(error.fault, 'timeout');
});

test('an answer that drips for ever is a timeout', async (t) => {
  const drips: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' });
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  };
  const store = await scripted(t, drips, 300);
  assert.equal((await failure(store.list('', ''))).fault, 'timeout');
});

test('an answer without end is refused before it fills the memory', async (t) => {
  const store = await scripted(t, (_, response) => {
    response.writeHead(503);
    const pour = () => {
      while (response.write(Buffer.alloc(64 * 2 ** 10, 'x')));
    };
    response.on('drain', pour);
    pour();
  });
  assert.match((await failure(put(store))).message, /longer than 65536 bytes/);
});

test('a closed port is a network fault that names the address', async () => {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const fixed = { bucket: 'bucket', prefix: '', credentials, mayRead: true, env: {} };
  const store = await openS3Store({ ...fixed, endpoint: 'http://127.0.0.1:1' });
  for (const call of [put(store), store.list('', ''), store.head('key')]) {
    const error = await failure(call);
    assert.equal(error.fault, 'network');
    assert.match(error.message, /127\.0\.0\.1:1/);
  }
  await store.close();
});

test('a page of a captive portal is no success', async (t) => {
  const store = await scripted(t, (_, response) => response.end('<html>Sign in</html>'));
  assert.equal((await failure(put(store))).fault, 'unavailable');
  assert.equal((await failure(store.list('', ''))).fault, 'bad-listing');
});

test('a stop ends what is under way and what has not begun with aborted', async (t) => {
  const { server, store } = await setUp(t, { maxSockets: 1 });
  const gate = createGate();
  t.after(gate.release);
  server.faults.add({ when: () => true, do: { kind: 'hold', gate, at: 'before' } });
  const stop = new AbortController();
  const calls = [put(store, 'a', stop.signal), put(store, 'b', stop.signal), store.list('', '', stop.signal)];
  const results = Promise.all(calls.map(failure));
  await gate.arrived;
  stop.abort();
  for (const error of await results) assert.equal(error.fault, 'aborted');
  assert.equal((await failure(put(store, 'c', stop.signal))).fault, 'aborted');
  assert.equal(gate.count(), 1);
});

test('after close every call ends with aborted', async (t) => {
  const { store } = await setUp(t);
  await put(store);
  await store.close();
  assert.equal((await failure(put(store))).fault, 'aborted');
});

test('puts one after the other reuse their connections', async (t) => {
  const { server, store } = await setUp(t);
  for (let index = 0; index < 20; index += 1) await put(store, `key-${index}`);
  // The next put may come a tick before the last one's connection is free again.
  assert.ok(server.connections() <= 2, String(server.connections()));
});

test('puts at once never use more connections than allowed', async (t) => {
  const { server, store } = await setUp(t, { maxSockets: 3 });
  await Promise.all(Array.from({ length: 30 }, (_, index) => put(store, `key-${index}`)));
  assert.ok(server.connections() <= 3, String(server.connections()));
});

test('an ETag is no MD5 once the server has shown KMS, nor when KMS was asked for', async (t) => {
  const plain = await setUp(t);
  await put(plain.store);
  assert.equal(plain.store.etagIsMd5, true);
  const kms = await setUp(t, {}, { sse: 'kms' });
  assert.equal(kms.store.etagIsMd5, true);
  await put(kms.store);
  assert.equal(kms.store.etagIsMd5, false);
  const asked = await setUp(t, { sse: 'aws:kms', sseKmsKeyId: 'alias/ferry' });
  assert.equal(asked.store.etagIsMd5, false);
  await put(asked.store);
  assert.equal(asked.server.objects.get('p/key')?.serverSideEncryption, 'aws:kms');
});

test('a key that S3 would refuse or change is refused before anything is sent', async (t) => {
  const { server, store } = await setUp(t);
  assert.equal((await put(store, 'k'.repeat(1_022))).outcome, 'created');
  const sent = server.requests.length;
  for (const key of ['', 'k'.repeat(1_023), 'ü'.repeat(512), 'half \ud83d']) {
    assert.equal((await failure(put(store, key))).fault, 'bad-request');
    assert.equal((await failure(store.head(key))).fault, 'bad-request');
  }
  assert.equal(server.requests.length, sent);
});

test('head is refused where the settings allow no reading', async (t) => {
  const { server, store } = await setUp(t, { mayRead: false });
  assert.equal((await failure(store.head('key'))).fault, 'denied');
  assert.equal(server.requests.length, 0);
});

test('without a region the store says how to give one', async () => {
  const env = { AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' };
  await assert.rejects(openS3Store({ bucket: 'bucket', prefix: '', env }), (error) => {
    assert.ok(error instanceof FerryError && error.exit === 'config');
    assert.match(error.remedy, /AWS_REGION/);
    return true;
  });
});
