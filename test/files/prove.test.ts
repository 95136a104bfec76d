// An object counts as there only when a listing made after the put shows it with the content's size and ETag.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../app/core/errors.ts';
import type { Ledger, LedgerRow } from '../../app/files/ledger/ledger.ts';
import { proveOnce } from '../../app/files/prove.ts';
import { tempDir } from '../support/temp.ts';
import { type ArrayStore, createArrayStore, md5, portsFor } from './array-store.ts';
import { openIn, rowOf } from './rows.ts';

/** Remembers files as just sent; their objects are there. */
function sent(ledger: Ledger, store: ArrayStore, paths: readonly string[]): void {
  for (const path of paths) {
    const body = Buffer.from(`content of ${path}`);
    store.place(`key/${path}`, body);
    const { stat } = rowOf(path);
    ledger.remember(rowOf(path, { etag: md5(body), stat: { ...stat, size: body.length } }), ledger.get(path));
  }
}

async function prove(ledger: Ledger, store: ArrayStore) {
  const proved: string[] = [];
  const missing: string[] = [];
  const doubtful: string[] = [];
  const push = (list: string[]) => (row: LedgerRow) => void list.push(row.path);
  const ended = await proveOnce({
    ...portsFor(store),
    ledger,
    onProved: push(proved),
    onMissing: push(missing),
    onDoubtful: push(doubtful),
  }).then(
    () => 'ended',
    (error: unknown) => (error instanceof StoreError ? error.fault : error),
  );
  return { proved: proved.sort(), missing: missing.sort(), doubtful, ended };
}

test('what the listing shows is proved, once; what it lacks is forgotten and told', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore({ pageSize: () => 3 });
  sent(ledger, store, ['a', 'b', 'c', 'd', '🚢', '\xff']);
  store.objects.delete('key/b');
  assert.deepEqual(await prove(ledger, store), {
    proved: ['a', 'c', 'd', '\xff', '🚢'].sort(),
    missing: ['b'],
    doubtful: [],
    ended: 'ended',
  });
  assert.equal(ledger.get('a')?.proved, true);
  assert.equal(ledger.get('b'), undefined);
  assert.deepEqual(await prove(ledger, store), { proved: [], missing: [], doubtful: [], ended: 'ended' });
});

test('another ETag or another size under the key is not the content', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore();
  sent(ledger, store, ['etag', 'size']);
  const change = (key: string, more: object): void => {
    const object = store.objects.get(key);
    assert.ok(object);
    store.objects.set(key, { ...object, ...more });
  };
  change('key/etag', { etag: md5(Buffer.from('other')) });
  change('key/size', { sizeBytes: 1 });
  const { proved, missing, doubtful } = await prove(ledger, store);
  // Another size is other content; another ETag alone is unknown: neither sent again nor ever freed.
  assert.deepEqual([proved, missing, doubtful], [[], ['size'], ['etag']]);
  assert.equal(ledger.get('etag')?.proved, false);
});

test('a listing that fails midway concludes nothing about what it did not reach', async () => {
  for (const fault of ['denied', 'bad-listing'] as const) {
    const ledger = openIn(undefined);
    const store = createArrayStore({ pageSize: () => 2 });
    sent(ledger, store, ['a', 'b', 'c', 'd', 'e']);
    store.objects.delete('key/e');
    let pages = 0;
    store.beforeList = () => {
      pages += 1;
      if (pages === 2 && fault === 'denied') throw new StoreError('denied', 'AccessDenied');
      if (pages === 2) store.lie = () => ({ objects: [], more: true });
    };
    const { missing, ended } = await prove(ledger, store);
    assert.deepEqual([missing, ended], [[], fault]);
    assert.equal(ledger.get('c')?.proved, false);
    assert.equal(ledger.get('e')?.proved, false);
  }
});

test('a listing that breaks its order proves nothing and loses nothing', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore();
  sent(ledger, store, ['a', 'b', 'c']);
  store.lie = ({ objects, more }) => ({ objects: objects.toReversed(), more });
  assert.deepEqual(await prove(ledger, store), {
    proved: [],
    missing: [],
    doubtful: [],
    ended: 'bad-listing',
  });
  assert.equal(ledger.totals.unprovedFiles, 3);
});

test('a row replaced while the listing is under way is neither proved nor forgotten', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore();
  sent(ledger, store, ['rewritten', 'gone from store', 'gone']);
  store.objects.delete('key/gone from store');
  store.beforeList = () => {
    for (const path of ['rewritten', 'gone from store']) {
      const row = rowOf(path, { key: `key/${path}~new`, etag: 'new' });
      ledger.remember(row, ledger.get(path));
    }
    const gone = ledger.get('gone');
    if (gone) ledger.forget(gone);
    store.beforeList = () => {};
  };
  const { proved, missing } = await prove(ledger, store);
  assert.deepEqual(proved, []);
  assert.ok(!missing.includes('gone'));
  assert.equal(ledger.get('gone'), undefined);
});

test('the same key and ETag sent again in another state of the file is not proved by the older listing', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore();
  sent(ledger, store, ['a']);
  const row = ledger.get('a');
  assert.ok(row);
  store.beforeList = () => {
    ledger.remember({ ...row, stat: { ...row.stat, ctimeMs: 2_000 } }, row);
    store.beforeList = () => {};
  };
  assert.deepEqual((await prove(ledger, store)).proved, []);
  assert.equal(ledger.get('a')?.proved, false);
  assert.deepEqual((await prove(ledger, store)).proved, ['a']);
});

test('a thousand rows cost about a page, whatever else the bucket holds', async () => {
  const ledger = openIn(undefined);
  const store = createArrayStore();
  for (let index = 0; index < 30_000; index += 1) store.place(`a/${index}`, Buffer.alloc(0));
  sent(
    ledger,
    store,
    Array.from({ length: 2_500 }, (_, index) => String(index).padStart(5, '0')),
  );
  assert.equal((await prove(ledger, store)).proved.length, 2_500);
  assert.ok(store.asked.length <= 6, `${store.asked.length} listings`);
});

test('a row of an earlier run is proved by its listing, and still not one a delete may rest on', async (t) => {
  const directory = await tempDir(t);
  const store = createArrayStore();
  let ledger = openIn(directory);
  sent(ledger, store, ['a']);
  ledger.close();
  ledger = openIn(directory);
  await prove(ledger, store);
  assert.deepEqual([ledger.get('a')?.proved, ledger.get('a')?.thisRun], [true, false]);
  ledger.commit();
  assert.equal(ledger.get('a')?.thisRun, false, 'also once on disk');
  ledger.close();
});
