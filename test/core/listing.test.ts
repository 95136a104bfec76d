// A listing is believed only whole and in order: against a model, and against every way it can lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../app/core/errors.ts';
import { checkPage, listAll, PAGE_MAX_OBJECTS } from '../../app/core/listing.ts';
import { compareKeys, type ListPage, type Store, type StoredObject } from '../../app/core/store.ts';

const key = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '.', ' ', 'é', '\u{ffff}', '😀'),
  maxLength: 6,
});
const keys = fc.uniqueArray(
  key.filter((text) => text !== ''),
  { maxLength: 40 },
);

const object = (name: string, sizeBytes = 1): StoredObject => ({ key: name, sizeBytes, etag: 'e' });
const badListing = (error: unknown) => error instanceof StoreError && error.fault === 'bad-listing';

/** A store of these keys that answers `pageSize` at a time, and counts its pages. */
function modelStore(names: readonly string[], pageSize: number): Pick<Store, 'list'> & { pages: number } {
  const sorted = names.toSorted(compareKeys);
  const store = {
    pages: 0,
    async list(prefix: string, after: string): Promise<ListPage> {
      store.pages += 1;
      const rest = sorted.filter((name) => name.startsWith(prefix) && compareKeys(name, after) > 0);
      const objects = rest.slice(0, pageSize).map((name) => object(name));
      return { objects, more: rest.length > pageSize };
    },
  };
  return store;
}

async function names(objects: AsyncIterable<StoredObject>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key: name } of objects) found.push(name);
  return found;
}

test('listAll yields exactly the keys of the model, in byte order, whatever the page size', async () => {
  await fc.assert(
    fc.asyncProperty(keys, key, key, fc.integer({ min: 1, max: 9 }), async (all, prefix, after, pageSize) => {
      const expected = all
        .filter((name) => name.startsWith(prefix) && compareKeys(name, after) > 0)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await names(listAll(modelStore(all, pageSize), prefix, after)), expected);
    }),
  );
});

test('a page of the model with two keys exchanged, one repeated or one outside is refused', () => {
  fc.assert(
    fc.property(keys, fc.nat(), fc.nat(), (all, first, second) => {
      fc.pre(all.length >= 2);
      const objects = all.toSorted(compareKeys).map((name) => object(`p/${name}`));
      checkPage({ objects, more: false }, 'p/', '');
      const i = first % objects.length;
      const j = second % objects.length;
      const [one, two] = [objects[i], objects[j]];
      assert.ok(one && two);
      const exchanged = objects.with(i, two).with(j, one);
      if (i !== j) assert.throws(() => checkPage({ objects: exchanged, more: false }, 'p/', ''), badListing);
      const repeated = objects.toSpliced(i, 0, one);
      assert.throws(() => checkPage({ objects: repeated, more: true }, 'p/', ''), badListing);
      const strayed = objects.with(i, object(one.key.replace('p/', 'q/')));
      assert.throws(() => checkPage({ objects: strayed, more: false }, 'p/', ''), badListing);
    }),
  );
});

test('a page that starts at or before its beginning is refused', () => {
  for (const first of ['a', 'b']) {
    assert.throws(() => checkPage({ objects: [object(first)], more: false }, '', 'b'), badListing);
  }
});

test('an empty page that says more follows is refused, an empty last page is not', () => {
  assert.throws(() => checkPage({ objects: [], more: true }, '', ''), badListing);
  checkPage({ objects: [], more: false }, '', '');
});

test('sizes that are no sizes, missing ETags and too many objects are refused', () => {
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => checkPage({ objects: [object('a', size)], more: false }, '', ''), badListing);
  }
  const without = { ...object('a'), etag: '' };
  assert.throws(() => checkPage({ objects: [without], more: false }, '', ''), badListing);
  const many = Array.from({ length: PAGE_MAX_OBJECTS + 1 }, (_, index) =>
    object(String(index).padStart(5, '0')),
  );
  assert.throws(() => checkPage({ objects: many, more: false }, '', ''), badListing);
});

test('a listing that starts again from the beginning ends in an error, not in a loop', async () => {
  const page: ListPage = { objects: [object('a'), object('b')], more: true };
  await assert.rejects(names(listAll({ list: async () => page }, '')), badListing);
});

test('a consumer that stops early asks for no further page', async () => {
  const store = modelStore(['a', 'b', 'c', 'd'], 2);
  for await (const { key: name } of listAll(store, '')) if (name === 'b') break;
  assert.equal(store.pages, 1);
});

test('a stop between two pages ends the listing with aborted', async () => {
  const stop = new AbortController();
  const objects = listAll(modelStore(['a', 'b'], 1), '', '', stop.signal);
  await objects.next();
  stop.abort();
  await assert.rejects(objects.next(), (error) => error instanceof StoreError && error.fault === 'aborted');
});
