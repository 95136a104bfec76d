// Starting without a memory: what the bucket holds already is found by content and not sent again.
import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreError } from '../../app/core/errors.ts';
import { compileKey, conflictKey } from '../../app/files/key.ts';
import type { Ledger } from '../../app/files/ledger/ledger.ts';
import { isEmpty, reconcile } from '../../app/files/reconcile.ts';
import type { FoundFile } from '../../app/files/walk.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp.ts';
import { type ArrayStore, createArrayStore, md5, portsFor } from './array-store.ts';
import { openIn, writeOld } from './rows.ts';

async function run(root: string, ledger: Ledger, store: ArrayStore, files: readonly FoundFile[]) {
  const keyOf = compileKey('{path}');
  ledger.candidates.add(files.map(({ path, stat }) => ({ path, stat, key: keyOf(path, stat.mtimeMs) })));
  const same: string[] = [];
  const toSend: string[] = [];
  const ports = {
    ...portsFor(store),
    root,
    ledger,
    keyOf,
    clock: createFakeClock(),
    onSame: ({ path }: FoundFile) => void same.push(path),
  };
  let ended: unknown = 'ended';
  try {
    for await (const { path } of reconcile(ports)) toSend.push(path);
  } catch (error) {
    ended = error instanceof StoreError ? error.fault : error;
  }
  return { same: same.sort(), toSend: toSend.sort(), ended };
}

test('3,000 files that are all there: nothing is sent, every one is remembered as proved', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  const files = Array.from({ length: 3_000 }, (_, index) => {
    const body = Buffer.from(`content ${index}`);
    store.place(`d${index % 10}/file ${index}`, body);
    return writeOld(root, `d${index % 10}/file ${index}`, body);
  });
  const { same, toSend, ended } = await run(root, ledger, store, files);
  assert.deepEqual([same.length, toSend, ended], [3_000, [], 'ended']);
  assert.deepEqual([ledger.totals.files, ledger.totals.unprovedFiles], [3_000, 0]);
  assert.ok(
    store.asked.length <= 6 && store.asked.every((call) => call.startsWith('list')),
    `${store.asked.length}`,
  );
});

test('what the bucket lacks is to be sent, in any mixture, and nothing else', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore({ pageSize: () => 5 })];
  const files: FoundFile[] = [];
  const lacking: string[] = [];
  for (let index = 0; index < 200; index += 1) {
    const path = `f${String(index).padStart(3, '0')}`;
    const body = Buffer.from(`content ${index}`);
    files.push(writeOld(root, path, body));
    if (index % 7 === 0) lacking.push(path);
    else store.place(path, body);
    store.place(`${path}-another`, body);
  }
  assert.deepEqual((await run(root, ledger, store, files)).toSend, lacking);
});

test('other content under the key: the key that names the content is found, or the file is to be sent', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  const body = Buffer.from('content');
  const files = ['first', 'second', 'new'].map((path) => writeOld(root, path, body));
  for (const path of ['first', 'second', 'new']) store.place(path, Buffer.from('CONTENT'));
  store.place(conflictKey('first', md5(body), 1), body);
  store.place(conflictKey('second', md5(body), 1), Buffer.from('OTHER'));
  store.place(conflictKey('second', md5(body), 2), body);
  const { same, toSend } = await run(root, ledger, store, files);
  assert.deepEqual([same, toSend], [['first', 'second'], ['new']]);
  assert.equal(ledger.get('second')?.key, `second~${md5(body)}-2`);
  assert.equal(ledger.get('new'), undefined);
});

test('with KMS: the checksum tells the same content where it may be read, otherwise it is to be sent', async (t) => {
  const root = await tempDir(t);
  const body = Buffer.from('content');
  const file = writeOld(root, 'a', body);
  for (const mayRead of [true, false]) {
    const [ledger, store] = [openIn(undefined), createArrayStore({ etagIsMd5: false, mayRead })];
    store.place('a', body);
    assert.deepEqual((await run(root, ledger, store, [file])).toSend, mayRead ? [] : ['a']);
    assert.equal(ledger.get('a')?.proof, mayRead ? 'checksum' : undefined);
  }
});

test('a listing denied, broken off or out of order: nothing that it did not show is called lacking', async (t) => {
  const root = await tempDir(t);
  const files = Array.from({ length: 30 }, (_, index) =>
    writeOld(root, `f${String(index).padStart(2, '0')}`, `${index}`),
  );
  const denied = createArrayStore();
  denied.beforeList = () => {
    throw new StoreError('denied', 'AccessDenied');
  };
  assert.deepEqual(await run(root, openIn(undefined), denied, files), {
    same: [],
    toSend: [],
    ended: 'denied',
  });

  const broken = createArrayStore({ pageSize: () => 10 });
  for (const [index, { path }] of files.entries()) broken.place(path, Buffer.from(`${index}`));
  let pages = 0;
  broken.beforeList = () => {
    pages += 1;
    if (pages > 1) broken.lie = () => ({ objects: [], more: true });
  };
  const result = await run(root, openIn(undefined), broken, files);
  assert.deepEqual([result.same.length, result.toSend, result.ended], [10, [], 'bad-listing']);

  const unordered = createArrayStore();
  for (const [index, { path }] of files.entries()) unordered.place(path, Buffer.from(`${index}`));
  unordered.lie = ({ objects, more }) => ({ objects: objects.toReversed(), more });
  assert.deepEqual((await run(root, openIn(undefined), unordered, files)).ended, 'bad-listing');
});

test('files that vanish or change meanwhile are left to the next walk and remembered as nothing', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  const files = ['gone', 'longer', 'stays'].map((path) => {
    store.place(path, Buffer.from(path));
    return writeOld(root, path, path);
  });
  rmSync(join(root, 'gone'));
  appendFileSync(join(root, 'longer'), '!');
  const { same, toSend } = await run(root, ledger, store, files);
  assert.deepEqual([same, toSend], [['stays'], []]);
  assert.deepEqual([ledger.get('gone'), ledger.get('longer')], [undefined, undefined]);
});

test('an empty bucket is told from one that cannot be listed', async () => {
  const store = createArrayStore();
  assert.equal(await isEmpty(portsFor(store)), true);
  store.place('a', Buffer.alloc(0));
  assert.equal(await isEmpty(portsFor(store)), false);
  store.lie = () => ({ objects: [], more: true });
  await assert.rejects(isEmpty(portsFor(store)), StoreError);
});
