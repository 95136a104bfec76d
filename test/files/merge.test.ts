// Asking a listing for many keys in order: the same answers as asking one by one, with few pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../app/core/errors.ts';
import { compareKeys, type ListPage } from '../../app/core/store.ts';
import { justBefore, openCursor } from '../../app/files/merge.ts';
import { createArrayStore, portsFor } from './array-store.ts';

/** Keys near each other: prefixes of one another, code points around the surrogates and above, neighbours of 0, 9, ~. */
const UNIT = fc.constantFrom(
  'a',
  'b',
  'z',
  '0',
  '1',
  '9',
  '/',
  '-',
  '~',
  '\x7f',
  '!',
  ' ',
  'é',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10FFFF}',
  '🚢',
);
const KEY = fc.array(UNIT, { minLength: 1, maxLength: 4 }).map((units) => units.join(''));
const KEYS = fc.array(KEY, { maxLength: 60 });
const BODY = Buffer.from('x');

test('for any keys there and any keys asked, each answer is the true one', async () => {
  await fc.assert(
    fc.asyncProperty(
      KEYS,
      KEYS,
      fc.infiniteStream(fc.integer({ min: 3, max: 7 })),
      async (there, asked, sizes) => {
        const store = createArrayStore({ pageSize: () => sizes.next().value ?? 3 });
        for (const key of there) store.place(key, BODY);
        // Some of those asked for are there; some are asked for twice.
        const questions = [...asked, ...there.filter((_, index) => index % 3 === 0), ...asked.slice(0, 2)];
        const cursor = openCursor(portsFor(store));
        for (const key of questions.sort(compareKeys))
          assert.equal((await cursor.find(key))?.key, store.objects.get(key)?.key);
      },
    ),
    { numRuns: 500 },
  );
});

test('a listing begun just before a key holds the key', () => {
  const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  fc.assert(
    fc.property(fc.oneof(KEY, fc.string({ unit: 'binary', minLength: 1 })), (key) => {
      const before = justBefore(key);
      assert.ok(order(before, key) < 0);
      assert.equal(before.isWellFormed(), true);
    }),
    { numRuns: 3_000 },
  );
  assert.equal(justBefore('dt=1/5'), 'dt=1/4~');
  assert.equal(justBefore('a'), '`~');
});

async function listingsFor(there: readonly string[], asked: readonly string[]): Promise<number> {
  const store = createArrayStore();
  for (const key of there) store.place(key, BODY);
  let listings = 0;
  const cursor = openCursor({ ...portsFor(store), onListing: () => (listings += 1) });
  for (const key of asked) assert.equal((await cursor.find(key))?.key, store.objects.get(key)?.key);
  assert.equal(store.asked.length, listings);
  return listings;
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `dt=2026-11-20/${String(index).padStart(6, '0')}`);

test('asking for everything costs a page per 1,000; asking here and there skips what nobody asked for', async () => {
  const all = numbered(20_000);
  const dense = await listingsFor(all, all);
  assert.ok(dense <= 21, `${dense} listings`);
  const sparse = await listingsFor(
    all,
    all.filter((_, index) => index % 5_000 === 7),
  );
  assert.equal(sparse, 4);
  const none = await listingsFor([], all.slice(0, 5_000));
  assert.equal(none, 1, 'an empty bucket is asked once');
});

test('a listing that lies rejects: nothing is told absent', async () => {
  const lies: Record<string, (page: ListPage) => ListPage> = {
    'out of order': ({ objects, more }) => ({ objects: objects.toReversed(), more }),
    'empty with more to follow': () => ({ objects: [], more: true }),
    'from before the place asked for': ({ objects, more }) => ({
      objects: [{ key: ' ', sizeBytes: 1, etag: 'x' }, ...objects],
      more,
    }),
    'the same key twice': ({ objects, more }) => ({
      objects: objects.flatMap((object) => [object, object]),
      more,
    }),
  };
  for (const [name, lie] of Object.entries(lies)) {
    const store = createArrayStore();
    for (const key of numbered(10)) store.place(key, BODY);
    store.lie = lie;
    const cursor = openCursor(portsFor(store));
    await assert.rejects(
      async () => cursor.find('dt=2026-11-20/000003'),
      (error) => error instanceof StoreError && error.fault === 'bad-listing',
      name,
    );
  }
});

test('a listing that breaks off rejects from there on; what passes is tried again', async () => {
  const store = createArrayStore({ pageSize: () => 5 });
  const keys = numbered(30);
  for (const key of keys) store.place(key, BODY);
  let calls = 0;
  store.beforeList = () => {
    calls += 1;
    if (calls === 2) throw new StoreError('unavailable', '503');
    if (calls >= 5) throw new StoreError('denied', 'AccessDenied');
  };
  const cursor = openCursor(portsFor(store));
  const found: string[] = [];
  const asking = async (): Promise<void> => {
    for (const key of keys) found.push((await cursor.find(key))?.key ?? 'absent');
  };
  await assert.rejects(asking, (error) => error instanceof StoreError && error.fault === 'denied');
  assert.deepEqual(found, keys.slice(0, 15));
});
