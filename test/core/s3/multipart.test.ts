// Large files over S3: what a kill, a change, a lost answer and a stop leave behind, and what the next run does with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LargeSource, Store, UploadState } from '../../../app/core/store.ts';
import type { S3Server } from '../../support/s3/server.ts';
import { failure, put, scripted, setUp } from './setup.ts';

const MIB = 2 ** 20;

interface KilledSource extends LargeSource {
  readonly states: UploadState[];
  readonly reads: number[];
  commits: number;
}

function sourceOf(body: Buffer): KilledSource {
  const source: KilledSource = {
    sizeBytes: body.length,
    states: [],
    reads: [],
    commits: 0,
    read(offset, length) {
      source.reads.push(offset);
      return body.subarray(offset, offset + length);
    },
    progress: (state) => source.states.push(state),
    beforeCommit: () => {
      source.commits += 1;
    },
  };
  return source;
}

/** What is remembered of an upload that was cut off at its third part. */
async function cutOff(server: S3Server, store: Store, body: Buffer): Promise<UploadState> {
  const source = sourceOf(body);
  const third = server.faults.add({
    when: ({ op, query }) => op === 'UploadPart' && query.get('partNumber') === '3',
    do: { kind: 'reset' },
  });
  assert.equal((await failure(store.putLarge('key', source))).fault, 'network');
  third.remove();
  const state = source.states.at(-1);
  assert.equal(state?.parts.length, 2);
  return structuredClone(state);
}

const partsSent = (server: S3Server) => server.requests.filter(({ op }) => op === 'UploadPart').length;

test('an upload cut off by a kill sends only the missing part, though it reads all again', async (t) => {
  const { server, store } = await setUp(t);
  const body = Buffer.alloc(20 * MIB, 'abc');
  const state = await cutOff(server, store, body);
  const before = partsSent(server);
  const again = sourceOf(body);
  assert.equal((await store.putLarge('key', again, state)).outcome, 'created');
  assert.equal(partsSent(server) - before, 1);
  assert.deepEqual(again.reads, [0, 8 * MIB, 16 * MIB]);
  assert.equal(again.commits, 1);
  assert.equal(server.uploads.size, 0);
});

test('the loop turns between two parts, be they sent now or in an earlier run', async (t) => {
  const { server, store } = await setUp(t);
  const body = Buffer.alloc(20 * MIB, 'abc');
  const state = await cutOff(server, store, body);
  for (const [key, resume] of [
    ['key', state],
    ['new', undefined],
  ] as const) {
    let turns = 0;
    let turning = true;
    const count = (): void => {
      turns += 1;
      if (turning) setImmediate(count);
    };
    setImmediate(count);
    const turnsAtRead: number[] = [];
    const source = sourceOf(body);
    const watched: LargeSource = {
      ...source,
      read(offset, length) {
        turnsAtRead.push(turns);
        return source.read(offset, length);
      },
    };
    assert.equal((await store.putLarge(key, watched, resume)).outcome, 'created');
    turning = false;
    assert.equal(new Set(turnsAtRead).size, 3, `no turn between two of three reads: ${turnsAtRead}`);
  }
});

test('a file that changed since starts afresh and leaves no parts behind', async (t) => {
  const { server, store } = await setUp(t);
  const state = await cutOff(server, store, Buffer.alloc(20 * MIB, 'abc'));
  const changed = Buffer.alloc(20 * MIB, 'xyz');
  const again = sourceOf(changed);
  assert.equal((await store.putLarge('key', again, state)).outcome, 'created');
  assert.deepEqual(again.states[0]?.parts, []);
  assert.notEqual(again.states[0]?.uploadId, state.uploadId);
  assert.equal(server.objects.get('p/key')?.body?.equals(changed), true);
  assert.equal(server.uploads.size, 0);
});

test('a remembered part with a wrong ETag starts afresh', async (t) => {
  const { server, store } = await setUp(t);
  const body = Buffer.alloc(20 * MIB, 'abc');
  const { uploadId, parts } = await cutOff(server, store, body);
  const wrong = { uploadId, parts: parts.map((part) => ({ ...part, etag: '0'.repeat(32) })) };
  assert.equal((await store.putLarge('key', sourceOf(body), wrong)).outcome, 'created');
  assert.equal(server.uploads.size, 0);
});

test('a commit whose answer was lost is found out by one listing, not by sending all again', async (t) => {
  const { server, store } = await setUp(t);
  const body = Buffer.alloc(9 * MIB, 'abc');
  server.faults.add({
    when: ({ op }) => op === 'CompleteMultipartUpload',
    times: 1,
    do: { kind: 'lost-answer' },
  });
  const source = sourceOf(body);
  assert.equal((await failure(store.putLarge('key', source))).fault, 'network');
  const before = partsSent(server);
  assert.deepEqual(await store.putLarge('key', sourceOf(body), source.states.at(-1)), { outcome: 'exists' });
  assert.equal(partsSent(server), before);
});

test('a large file whose key is taken leaves no parts behind', async (t) => {
  const { server, store } = await setUp(t);
  await put(store);
  assert.deepEqual(await store.putLarge('key', sourceOf(Buffer.alloc(9 * MIB))), { outcome: 'exists' });
  assert.equal(server.uploads.size, 0);
});

test('a file that cannot be read on, or is not to be committed, ends with its own error and leaves no parts', async (t) => {
  const { server, store } = await setUp(t);
  const reason = new Error('vanished');
  const fail = () => {
    throw reason;
  };
  for (const broken of [{ read: fail }, { beforeCommit: fail }]) {
    const source = { ...sourceOf(Buffer.alloc(9 * MIB)), ...broken };
    await assert.rejects(store.putLarge('key', source), (error) => error === reason);
  }
  assert.equal(server.uploads.size, 0);
  assert.equal(server.objects.size, 0);
});

test('a stop keeps the parts for the next run', async (t) => {
  const { server, store } = await setUp(t);
  const stop = new AbortController();
  const body = Buffer.alloc(20 * MIB, 'abc');
  const source = sourceOf(body);
  const stopping = {
    ...source,
    progress: (state: UploadState) => void (state.parts.length === 1 && stop.abort()),
  };
  assert.equal((await failure(store.putLarge('key', stopping, undefined, stop.signal))).fault, 'aborted');
  assert.equal(server.uploads.size, 1);
});

test('a commit that fails under status 200 is a failure', async (t) => {
  const store = await scripted(t, (request, response) => {
    if (request.url?.endsWith('?uploads=')) return response.end('<R><UploadId>id</UploadId></R>');
    if (request.method === 'PUT') return response.setHeader('etag', '"e"').end();
    return response.end('  <Error><Code>InternalError</Code><Message>We failed.</Message></Error>');
  });
  const error = await failure(store.putLarge('key', sourceOf(Buffer.alloc(9 * MIB))));
  assert.equal(error.fault, 'unavailable');
  assert.match(error.message, /InternalError: We failed\./);
});
