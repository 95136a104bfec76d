// The test server breaks as ordered, and only then.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { until } from '../temp.ts';
import { clientOf, refusal, start } from './client.ts';
import { createGate, DENIED, type FaultAction, SLOW_DOWN } from './faults.ts';
import { startS3Server } from './server.ts';

test('a refusal on order stores nothing, says when to come again, and ends after its times', async (t) => {
  const { server, client, Bucket } = await start(t);
  const put = () => client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }));
  const handle = server.faults.add({
    when: (request) => request.key === 'key',
    times: 2,
    do: { ...SLOW_DOWN, kind: 'status', status: 503, code: 'SlowDown', retryAfterSeconds: 7 },
  });
  const failure = await put().catch((error: unknown) => error as { $response?: { headers: object } });
  assert.equal('$response' in failure && JSON.stringify(failure.$response?.headers).includes('"7"'), true);
  assert.equal(await refusal(put()), '503 SlowDown');
  assert.equal(server.objects.size, 0);
  await put();
  assert.equal(handle.hits(), 2);
  assert.deepEqual(
    server.requests.map((entry) => [entry.op, entry.status, entry.code]),
    [
      ['PutObject', 503, 'SlowDown'],
      ['PutObject', 503, 'SlowDown'],
      ['PutObject', 200, ''],
    ],
  );
});

test('connections break where they were told to, before or after the object is stored', async (t) => {
  const { server, client, Bucket } = await start(t);
  const cases: [FaultAction, stored: boolean][] = [
    [{ kind: 'reset' }, false],
    [{ kind: 'reset-mid-body', afterBytes: 1_000 }, false],
    [{ kind: 'half-reply' }, true],
    [{ kind: 'lost-answer' }, true],
  ];
  for (const [action, stored] of cases) {
    const Key = action.kind;
    server.faults.add({ when: (request) => request.key === Key, times: 1, do: action });
    const put = () => client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(100_000) }));
    assert.match(await refusal(put()), /ECONNRESET|EPIPE|TimeoutError|HPE_|Error/);
    assert.equal(server.objects.has(Key), stored, Key);
    await put();
  }
  server.place('big', randomBytes(300_000));
  const inGet = (request: { op: string }): boolean => request.op === 'GetObject';
  server.faults.add({ when: inGet, times: 1, do: { kind: 'half-reply' } });
  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'big' }));
  await assert.rejects(async () => got.Body?.transformToByteArray());
});

test('a held request waits for the test, before it is served or after', async (t) => {
  const { server, client, Bucket } = await start(t);
  for (const at of ['before', 'after'] as const) {
    const gate = createGate();
    server.faults.add({ when: (request) => request.key === at, do: { kind: 'hold', gate, at } });
    const put = client.send(new PutObjectCommand({ Bucket, Key: at, Body: 'x' }));
    await gate.arrived;
    assert.equal(server.objects.has(at), at === 'after');
    assert.equal(gate.count(), 1);
    gate.release();
    await put;
    assert.equal(server.objects.has(at), true);
  }
});

test('a held request does not keep the server from closing', async () => {
  const server = await startS3Server();
  const client = clientOf(server);
  const gate = createGate();
  server.faults.add({ when: () => true, do: { kind: 'hold', gate, at: 'before' } });
  const put = client.send(new PutObjectCommand({ Bucket: server.bucket, Key: 'k', Body: 'x' }));
  const failed = refusal(put);
  await gate.arrived;
  await server.close();
  await failed;
  gate.release();
  client.destroy();
  await until(() => server.objects.size === 1, 'the released request is served');
});

test('listings lie as they were told to', async (t) => {
  const { server, client, Bucket } = await start(t);
  for (const key of ['p/1', 'p/2', 'p/3', 'p/4']) server.place(key, Buffer.from(key));
  const list = async (lie: Extract<FaultAction, { kind: 'listing' }>['lie'], StartAfter = '') => {
    const isList = (request: { op: string }): boolean => request.op === 'ListObjectsV2';
    server.faults.add({ when: isList, times: 1, do: { kind: 'listing', lie } });
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'p/', StartAfter }));
    return { keys: (page.Contents ?? []).map((object) => object.Key), more: page.IsTruncated };
  };
  assert.deepEqual(await list('truncated'), { keys: ['p/1', 'p/2'], more: false });
  assert.deepEqual(await list('unordered'), { keys: ['p/4', 'p/3', 'p/2', 'p/1'], more: false });
  assert.deepEqual(await list('empty'), { keys: [], more: false });
  assert.deepEqual(await list('endless'), { keys: [], more: true });
  assert.deepEqual(await list('from-the-start', 'p/2'), { keys: ['p/1', 'p/2', 'p/3', 'p/4'], more: false });
  assert.equal((await list('repeated')).keys.length, 8);
  assert.equal((await list('stray')).keys.at(-1)?.startsWith('p/'), false);
  assert.deepEqual(await list('odd'), { keys: ['p/1', 'p/2', 'p/3', 'p/4'], more: false });
  await assert.rejects(list('malformed'));
  server.faults.add({ when: () => true, times: 1, do: DENIED });
  assert.equal(await refusal(client.send(new ListObjectsV2Command({ Bucket }))), '403 AccessDenied');
});
