// One file becomes one object: sent once, never over another, and remembered in the state that was hashed.
import assert from 'node:assert/strict';
import { appendFileSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreError } from '../../app/core/errors.ts';
import { SINGLE_PUT_MAX_BYTES } from '../../app/core/store.ts';
import { compileKey } from '../../app/files/key.ts';
import { ReadError } from '../../app/files/read.ts';
import { type Sent, sendFile } from '../../app/files/send.ts';
import type { FoundFile } from '../../app/files/walk.ts';
import { tempDir } from '../support/temp.ts';
import { type ArrayStore, createArrayStore, md5, portsFor, sha256 } from './array-store.ts';
import { openIn, writeOld } from './rows.ts';

const BODY = Buffer.from('content');
const MD5 = md5(BODY);

function send(store: ArrayStore, root: string, file: FoundFile): Promise<Sent> {
  return sendFile({ ...portsFor(store), root, keyOf: compileKey('{path}'), ledger: openIn(undefined) }, file);
}

const puts = (store: ArrayStore): string[] => store.asked.filter((call) => call.startsWith('put'));

test('a free key: the file is put there, and not yet called proved', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', BODY);
  const { outcome, row, conflicts } = await send(store, root, file);
  assert.deepEqual([outcome, conflicts], ['created', 0]);
  assert.deepEqual(row, {
    path: 'a',
    key: 'a',
    stat: file.stat,
    sha256: sha256(BODY),
    etag: MD5,
    proof: 'put',
    proved: false,
  });
  assert.deepEqual(store.asked, ['put a'], 'one request');
});

test('a key that is taken by the same content: nothing is made, and the listing was the proof', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  store.place('a', BODY);
  const { outcome, row } = await send(store, root, writeOld(root, 'a', BODY));
  assert.deepEqual([outcome, row.key, row.proof, row.proved], ['same', 'a', 'md5', true]);
  assert.equal(store.objects.size, 1);
});

test('a key that is taken by other content: a key that names this content, found again the next time', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  store.place('a', Buffer.from('CONTENT'));
  const file = writeOld(root, 'a', BODY);
  const first = await send(store, root, file);
  assert.deepEqual([first.outcome, first.row.key, first.conflicts], ['created', `a~${MD5}`, 1]);
  const again = await send(store, root, file);
  assert.deepEqual([again.outcome, again.row.key, store.objects.size], ['same', `a~${MD5}`, 2]);
  assert.equal(store.objects.get('a')?.body?.toString(), 'CONTENT', 'what was there is untouched');
});

test('conflicts chain, and end with an error rather than for ever', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', BODY);
  for (const key of ['a', `a~${MD5}`, `a~${MD5}-2`]) store.place(key, Buffer.from('OTHER'));
  assert.equal((await send(store, root, file)).row.key, `a~${MD5}-3`);
  for (let attempt = 3; attempt <= 25; attempt += 1) store.place(`a~${MD5}-${attempt}`, Buffer.from('OTHER'));
  await assert.rejects(
    send(store, root, file),
    (error) => error instanceof StoreError && error.fault === 'bad-request',
  );
});

test('with KMS the same content is told by its checksum where it may be read', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore({ etagIsMd5: false, mayRead: true });
  store.place('a', BODY);
  const { outcome, row } = await send(store, root, writeOld(root, 'a', BODY));
  assert.deepEqual([outcome, row.proof, row.etag], ['same', 'checksum', store.objects.get('a')?.etag]);
});

test('with KMS and no right to read, "probably the same" is no proof: it is sent under a new key', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore({ etagIsMd5: false });
  store.place('a', BODY);
  const { outcome, row } = await send(store, root, writeOld(root, 'a', BODY));
  assert.deepEqual([outcome, row.key, row.proved], ['created', `a~${MD5}`, false]);
});

test('an answer that was lost does not send the file twice', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const { put } = store;
  let lost = 0;
  store.put = async (key, body, digest) => {
    const result = await put(key, body, digest);
    lost += 1;
    if (lost === 1) throw new StoreError('network', 'ECONNRESET');
    return result;
  };
  const { outcome, row } = await send(store, root, writeOld(root, 'a', BODY));
  assert.deepEqual([outcome, row.key, row.proved], ['same', 'a', true]);
  assert.deepEqual([...store.objects.keys()], ['a']);
});

test('a buffer is read into again after a first and only try, and after no other', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const { put } = store;
  const bodies: Buffer[] = [];
  const sendOne = async (name: string, refusals: number): Promise<Buffer> => {
    store.put = async (key, body, digest) => {
      bodies.push(body);
      refusals -= 1;
      if (refusals >= 0) throw new StoreError('network', 'ECONNRESET');
      return put(key, body, digest);
    };
    assert.equal((await send(store, root, writeOld(root, name, name))).outcome, 'created');
    const body = bodies.at(-1);
    assert.ok(body);
    return body;
  };
  const inSameBuffer = (one: Buffer, other: Buffer): boolean => one.buffer === other.buffer;
  const first = await sendOne('first', 0);
  const second = await sendOne('second', 1);
  assert.ok(inSameBuffer(first, second), 'one try: used again');
  // The try that was refused may still lie in a socket's queue.
  const third = await sendOne('third', 0);
  assert.ok(!inSameBuffer(second, third), 'two tries: not used again');
  assert.equal(second.toString(), 'second');
  assert.equal(store.objects.get('second')?.body?.toString(), 'second');
});

test('a key that is taken and yet not listed is no success', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  store.put = () => Promise.resolve({ outcome: 'exists' });
  await assert.rejects(
    send(store, root, writeOld(root, 'a', BODY)),
    (error) => error instanceof StoreError && error.fault === 'conflict',
  );
});

test('a listing that cannot be had makes the comparison fail, not succeed', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  store.place('a', BODY);
  store.beforeList = () => {
    throw new StoreError('denied', 'AccessDenied');
  };
  await assert.rejects(
    send(store, root, writeOld(root, 'a', BODY)),
    (error) => error instanceof StoreError && error.fault === 'denied',
  );
  assert.equal(store.objects.size, 1);
});

test('a file that changes while it is uploaded is remembered as what was hashed', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', BODY);
  const { put } = store;
  store.put = (key, body, digest) => {
    appendFileSync(join(root, 'a'), ' and more');
    return put(key, body, digest);
  };
  const { row } = await send(store, root, file);
  assert.deepEqual([row.stat, row.sha256], [file.stat, sha256(BODY)]);
  assert.equal(store.objects.get('a')?.body?.equals(BODY), true);
  assert.notEqual(lstatSync(join(root, 'a')).size, row.stat.size);
});

test('a file in another state than it was looked at is not sent', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', BODY);
  appendFileSync(join(root, 'a'), '!');
  await assert.rejects(
    send(store, root, file),
    (error) => error instanceof ReadError && error.fault === 'changed',
  );
  assert.deepEqual(store.asked, []);
});

const LARGE = Buffer.alloc(SINGLE_PUT_MAX_BYTES + 5, 'large');

test('a large file goes up in parts; found there already it is not sent again', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', LARGE);
  const first = await send(store, root, file);
  assert.deepEqual([first.outcome, first.row.etag], ['created', store.objects.get('a')?.etag]);
  const again = await send(store, root, file);
  assert.deepEqual([again.outcome, again.row.sha256, again.row.proved], ['same', first.row.sha256, true]);
  assert.deepEqual(puts(store), ['putLarge a']);
});

test('a large file that changes while it is uploaded makes no object', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const file = writeOld(root, 'a', LARGE);
  const { putLarge } = store;
  store.putLarge = (key, source) => {
    const read = (offset: number, lengthBytes: number): Buffer => {
      if (offset > 0) appendFileSync(join(root, 'a'), '!');
      return source.read(offset, lengthBytes);
    };
    return putLarge(key, { ...source, read });
  };
  await assert.rejects(
    send(store, root, file),
    (error) => error instanceof ReadError && error.fault === 'changed',
  );
  assert.equal(store.objects.size, 0);
});

test('a large file whose key holds other content of the same size gets a key of its own', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  store.place('a', Buffer.alloc(LARGE.length, 1));
  const { outcome, row, conflicts } = await send(store, root, writeOld(root, 'a', LARGE));
  assert.deepEqual([outcome, conflicts], ['created', 1]);
  assert.match(row.key, /^a~[0-9a-f]{32}$/);
});
