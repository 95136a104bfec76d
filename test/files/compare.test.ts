// What a listing says about content: the same, another, or nothing; never "probably".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../app/core/errors.ts';
import { compareKey, compareListed } from '../../app/files/compare.ts';
import { createArrayStore, md5, portsFor, sha256 } from './array-store.ts';

const A = md5(Buffer.from('a'));
const B = md5(Buffer.from('b'));

test('the table: sizes, ETags, and whether ETags are MD5s', () => {
  const rows: [listedSize: number, listedEtag: string, ownEtag: string, md5s: boolean, verdict: string][] = [
    [2, A, A, true, 'other'],
    [2, A, A, false, 'other'],
    [1, A, A, true, 'same'],
    [1, A, A, false, 'same'],
    [1, B, A, true, 'other'],
    [1, B, A, false, 'unknown'],
    [1, `${A}-2`, `${A}-2`, true, 'same'],
    [1, `${B}-2`, `${A}-2`, true, 'other'],
    [1, `${B}-2`, `${A}-2`, false, 'unknown'],
    [1, `${B}-2`, A, true, 'unknown'],
    [1, B, `${A}-2`, true, 'unknown'],
  ];
  for (const [sizeBytes, etag, own, md5s, verdict] of rows)
    assert.equal(
      compareListed({ key: 'k', sizeBytes, etag }, 1, own, md5s),
      verdict,
      `${etag} ${own} ${md5s}`,
    );
});

const CONTENT = Buffer.from('content');
const DIGESTS = { sha256: sha256(CONTENT), etag: md5(CONTENT) };

test('a listing alone answers where it can; only an unlike ETag of the same size is worth a read', async () => {
  for (const mayRead of [true, false]) {
    const store = createArrayStore({ mayRead });
    store.place('key', CONTENT);
    store.place('other', Buffer.from('CONTENT'));
    store.place('longer', Buffer.from('CONTENTS'));
    store.place('prefix-and-more', CONTENT);
    const verdict = async (key: string) => (await compareKey(portsFor(store), key, 7, DIGESTS)).verdict;
    assert.equal(await verdict('key'), 'same');
    assert.equal(await verdict('longer'), 'other');
    assert.equal(await verdict('prefix'), 'absent', 'another key begins with it');
    assert.equal(await verdict('none'), 'absent');
    assert.ok(store.asked.every((call) => call.startsWith('list ')));
    assert.equal(await verdict('other'), 'other');
    assert.equal(store.asked.includes('head other'), mayRead);
  }
});

test('with KMS the stored checksum decides where it may be read; where it may not, it is unknown', async () => {
  for (const mayRead of [true, false]) {
    const store = createArrayStore({ etagIsMd5: false, mayRead });
    store.place('key', CONTENT);
    store.place('other', Buffer.from('CONTENT'));
    const same = await compareKey(portsFor(store), 'key', 7, DIGESTS);
    const other = await compareKey(portsFor(store), 'other', 7, DIGESTS);
    if (mayRead) {
      assert.deepEqual(same, { verdict: 'same', proof: 'checksum', etag: store.objects.get('key')?.etag });
      assert.equal(other.verdict, 'other');
    } else assert.deepEqual([same.verdict, other.verdict], ['unknown', 'unknown']);
  }
});

test('a checksum the store did not keep leaves it unknown', async () => {
  const store = createArrayStore({ etagIsMd5: false, mayRead: true });
  store.place('key', CONTENT);
  store.head = (key) => Promise.resolve({ key, sizeBytes: 7, etag: 'x' });
  assert.equal((await compareKey(portsFor(store), 'key', 7, DIGESTS)).verdict, 'unknown');
  store.head = () => Promise.resolve(undefined);
  assert.equal((await compareKey(portsFor(store), 'key', 7, DIGESTS)).verdict, 'unknown');
});

test('a listing that fails or lies is no answer', async () => {
  const store = createArrayStore();
  store.beforeList = () => {
    throw new StoreError('denied', 'AccessDenied');
  };
  await assert.rejects(compareKey(portsFor(store), 'key', 7, DIGESTS), StoreError);
  store.beforeList = () => {};
  store.lie = () => ({ objects: [], more: true });
  const lied = compareKey(portsFor(store), 'key', 7, DIGESTS);
  await assert.rejects(lied, (error) => error instanceof StoreError && error.fault === 'bad-listing');
});
