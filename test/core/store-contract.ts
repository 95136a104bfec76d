// The promises of the store port, as tests that every store must pass.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../app/core/errors.ts';
import { compareKeys, type LargeSource, type Store, type UploadState } from '../../app/core/store.ts';
import {
  bytes,
  collect,
  compareBytes,
  content,
  inByteOrder,
  inParallel,
  KEY,
  keysOf,
  multipartEtag,
  put,
  sha256,
  sourceOf,
  storeError,
  TRICKY_KEYS,
  withoutParents,
} from './store-samples.ts';

export interface OpenStore {
  /** Empty. */
  readonly store: Store;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** Says what this machine lacks: the tests are skipped with it. */
  readonly missing?: string;
  /** Random sets listed page by page. Default 20. */
  readonly propertyRuns?: number;
}

const MIB = 2 ** 20;

/** Registers the tests. `open` makes a new empty store; each test opens its own. */
export function storeContract(
  name: string,
  open: () => Promise<OpenStore>,
  options: ContractOptions = {},
): void {
  const promise = (what: string, check: (store: Store, t: TestContext) => Promise<void>): void => {
    test(`${name}: ${what}`, async (t) => {
      if (options.missing !== undefined) return t.skip(options.missing);
      const { store, close } = await open();
      try {
        await check(store, t);
      } finally {
        await close();
      }
    });
  };

  promise('a free key is created, and the bytes come back as they were', async (store) => {
    for (const body of [Buffer.from('content'), Buffer.alloc(0), bytes(300_000, 1)]) {
      const key = `dir/of ${body.length}`;
      const result = await put(store, key, body);
      assert.equal(result.outcome, 'created');
      assert.deepEqual(await content(store, key), body);
    }
  });

  promise('a taken key answers exists and keeps its content, be the new one equal or not', async (store) => {
    const first = Buffer.from('first');
    await put(store, 'key', first);
    assert.deepEqual(await put(store, 'key', Buffer.from('second, longer')), { outcome: 'exists' });
    assert.deepEqual(await put(store, 'key', first), { outcome: 'exists' });
    assert.deepEqual(await content(store, 'key'), first);
  });

  promise('a body that is not what its SHA-256 says is refused and never seen', async (store) => {
    const wrong = sha256(Buffer.from('other'));
    const error = await storeError(store.put('key', Buffer.from('content'), wrong));
    assert.match(error.fault, /^(corrupt|bad-request)$/);
    assert.deepEqual((await store.list('', '')).objects, []);
    assert.equal((await put(store, 'key', Buffer.from('content'))).outcome, 'created');
  });

  promise('a put tells the ETag that the listing shows, the MD5 where the store says so', async (store) => {
    const body = Buffer.from('some content');
    const result = await put(store, 'a/b.txt', body);
    assert.equal(result.outcome, 'created');
    const { objects, more } = await store.list('', '');
    assert.equal(more, false);
    assert.deepEqual(objects, [{ key: 'a/b.txt', sizeBytes: body.length, etag: result.etag }]);
    if (store.etagIsMd5) assert.equal(result.etag, createHash('md5').update(body).digest('hex'));
  });

  promise('of many puts to one key at once exactly one creates', async (store) => {
    const bodies = Array.from({ length: 16 }, (_, index) => Buffer.from(`body ${index}`));
    const results = await Promise.all(bodies.map((body) => putAgain(store, 'contested/key', body)));
    const created = results.filter((result) => result.outcome === 'created');
    assert.equal(created.length, 1);
    const winner = results.findIndex((result) => result.outcome === 'created');
    assert.deepEqual(await content(store, 'contested/key'), bodies[winner]);
  });

  promise('an empty store lists nothing, and says that nothing follows', async (store) => {
    assert.deepEqual(await store.list('', ''), { objects: [], more: false });
    assert.deepEqual(await store.list('no/such/prefix/', ''), { objects: [], more: false });
  });

  promise('keys of every kind are listed as they were given, in UTF-8 byte order', async (store) => {
    for (const key of TRICKY_KEYS) await put(store, key, Buffer.from(key));
    const { objects } = await store.list('', '');
    assert.deepEqual(
      objects.map((object) => object.key),
      inByteOrder(TRICKY_KEYS),
    );
    for (const key of TRICKY_KEYS) assert.deepEqual(await content(store, key), Buffer.from(key));
  });

  promise('a listing goes on after any key, which is left out itself', async (store) => {
    for (const key of TRICKY_KEYS) await put(store, key, Buffer.from(key));
    const sorted = inByteOrder(TRICKY_KEYS);
    for (const [index, after] of sorted.entries()) {
      assert.deepEqual(await keysOf(store, '', after), sorted.slice(index + 1), `after ${after}`);
    }
    const free = ['a', 'a/', 'a/b', 'a0', '~', '\u{10ffff}'];
    for (const after of free) {
      const expected = sorted.filter((key) => compareBytes(key, after) > 0);
      assert.deepEqual(await keysOf(store, '', after), expected, `after ${after}`);
    }
  });

  promise('a prefix is a text, not a directory, and matches exactly', async (store) => {
    const keys = ['a.txt', 'a/1', 'a/2', 'ab/1', 'aB', 'b', 'a/c/d', 'a-b/c'];
    for (const key of keys) await put(store, key, Buffer.from(key));
    for (const prefix of ['', 'a', 'a/', 'a/c', 'a/c/', 'a/c/d', 'ab', 'b', 'b/', 'A', 'a/1/', 'c', 'a%']) {
      const expected = inByteOrder(keys.filter((key) => key.startsWith(prefix)));
      assert.deepEqual(await keysOf(store, prefix, ''), expected, `prefix ${prefix}`);
    }
    assert.deepEqual(await keysOf(store, 'a/', 'a/1'), ['a/2', 'a/c/d']);
    assert.deepEqual(await keysOf(store, 'a/', 'b'), []);
    assert.deepEqual(await keysOf(store, 'a/', 'Z'), ['a/1', 'a/2', 'a/c/d']);
  });

  promise('more than a page is listed page by page, each full and the last one ending it', async (store) => {
    const keys = Array.from({ length: 1_203 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    await inParallel(keys, 16, (key) => put(store, key, Buffer.from(key)));
    const first = await store.list('many/', '');
    assert.equal(first.objects.length, 1_000);
    assert.equal(first.more, true);
    const second = await store.list('many/', first.objects.at(-1)?.key ?? '');
    assert.equal(second.more, false);
    const listed = [...first.objects, ...second.objects].map((object) => object.key);
    assert.deepEqual(listed, keys);
  });

  promise('random sets of keys are listed as the sorted set, from anywhere', async (store) => {
    let round = 0;
    const check = async (names: string[], after: string): Promise<void> => {
      round += 1;
      const root = `round-${round}/`;
      const keys = withoutParents(names).map((key) => root + key);
      await inParallel(keys, 8, (key) => put(store, key, Buffer.from(key)));
      assert.deepEqual(await keysOf(store, root, ''), inByteOrder(keys));
      const rest = keys.filter((key) => compareBytes(key, root + after) > 0);
      assert.deepEqual(await keysOf(store, root, root + after), inByteOrder(rest));
    };
    const sets = fc.array(KEY, { minLength: 1, maxLength: 12 });
    const runs = { numRuns: options.propertyRuns ?? 20 };
    await fc.assert(fc.asyncProperty(sets, KEY, check), runs);
  });

  promise('the order of keys the port compares by is the order of their UTF-8 bytes', async () => {
    fc.assert(
      fc.property(KEY, KEY, (a, b) => {
        assert.equal(Math.sign(compareKeys(a, b)), Math.sign(compareBytes(a, b)));
      }),
    );
  });

  promise('a large file goes up in parts and comes back the same', async (store) => {
    const body = bytes(20 * MIB, 2);
    const source = sourceOf(body);
    const result = await store.putLarge('large/file.bin', source);
    assert.equal(result.outcome, 'created');
    assert.equal(source.states.at(-1)?.parts.length, 3);
    assert.equal(source.commits, 1);
    assert.deepEqual(await content(store, 'large/file.bin'), body);
    const [object] = (await store.list('', '')).objects;
    assert.deepEqual(object, { key: 'large/file.bin', sizeBytes: body.length, etag: result.etag });
    if (store.etagIsMd5) assert.equal(result.etag, multipartEtag(body));
  });

  promise('a large file whose key is taken answers exists and changes nothing', async (store) => {
    await put(store, 'key', Buffer.from('small'));
    assert.deepEqual(await store.putLarge('key', sourceOf(bytes(9 * MIB, 3))), { outcome: 'exists' });
    assert.deepEqual(await content(store, 'key'), Buffer.from('small'));
  });

  promise('of two large files for one key at once exactly one creates', async (store) => {
    const bodies = [bytes(9 * MIB, 4), bytes(9 * MIB, 5)];
    const results = await Promise.all(bodies.map((body) => store.putLarge('key', sourceOf(body))));
    assert.deepEqual(results.map((result) => result.outcome).sort(), ['created', 'exists']);
    const winner = results.findIndex((result) => result.outcome === 'created');
    assert.equal(bodies[winner]?.equals(await content(store, 'key')), true);
  });

  promise('a large file abandoned before the commit leaves nothing to see', async (store) => {
    const source = sourceOf(bytes(9 * MIB, 6));
    const reason = new Error('the file changed');
    const abandoned = {
      ...source,
      beforeCommit: () => {
        throw reason;
      },
    };
    await assert.rejects(store.putLarge('key', abandoned), (error) => error === reason);
    assert.deepEqual((await store.list('', '')).objects, []);
    assert.equal((await store.putLarge('key', source)).outcome, 'created');
  });

  promise('a large file cut off is finished from the state it had told', async (store) => {
    const body = bytes(20 * MIB, 7);
    const state = await cutOff(store, 'key', body);
    assert.deepEqual((await store.list('', '')).objects, []);
    const again = sourceOf(body);
    const result = await store.putLarge('key', again, state);
    assert.equal(result.outcome, 'created');
    assert.equal(body.equals(await content(store, 'key')), true);
    if (store.etagIsMd5) assert.equal(result.etag, multipartEtag(body));
  });

  promise('a large file that changed since it was cut off never arrives mixed', async (store) => {
    const state = await cutOff(store, 'key', bytes(20 * MIB, 8));
    const changed = bytes(20 * MIB, 9);
    await store.putLarge('key', sourceOf(changed), state).catch((error: unknown) => {
      assert.ok(error instanceof StoreError);
    });
    const listed = (await store.list('', '')).objects;
    if (listed.length > 0) assert.equal(changed.equals(await content(store, 'key')), true);
  });

  promise('a state the store does not know any more does not stop a large file', async (store) => {
    const body = bytes(9 * MIB, 10);
    const state: UploadState = { uploadId: 'c0ffee', parts: [] };
    assert.equal((await store.putLarge('key', sourceOf(body), state)).outcome, 'created');
    assert.equal(body.equals(await content(store, 'key')), true);
  });

  promise('head tells size, ETag and checksum, or that there is nothing', async (store, t) => {
    if (!store.mayRead) return t.skip('needs a store that may be read');
    const body = Buffer.from('head me');
    const result = await put(store, 'a/key', body);
    const head = await store.head('a/key');
    assert.equal(head?.sizeBytes, body.length);
    assert.equal(head.etag, result.outcome === 'created' ? result.etag : '');
    if (head.sha256Hex !== undefined) assert.equal(head.sha256Hex, sha256(body));
    assert.equal(await store.head('a/none'), undefined);
    assert.equal(await store.head('a'), undefined);
  });

  promise('reading a key that is free is an error', async (store) => {
    await storeError(store.get('none').then(collect));
  });

  promise('a call given up before it began does nothing', async (store) => {
    const signal = AbortSignal.abort();
    const body = Buffer.from('content');
    const calls = [
      () => store.put('key', body, sha256(body), signal),
      () => store.putLarge('key', sourceOf(bytes(9 * MIB, 11)), undefined, signal),
      () => store.list('', '', signal),
    ];
    for (const call of calls) assert.equal((await storeError(call())).fault, 'aborted');
    assert.deepEqual((await store.list('', '')).objects, []);
  });

  promise('a body above the size of a single put is refused', async (store) => {
    const body = bytes(8 * MIB + 1, 12);
    assert.equal((await storeError(put(store, 'key', body))).fault, 'bad-request');
  });
}

/** What puts a store calls a conflict (409) are tried again, as the port's callers do. */
async function putAgain(store: Store, key: string, body: Buffer): ReturnType<Store['put']> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await put(store, key, body);
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === 'conflict') || tries === 20) throw error;
    }
  }
}

/** Sends the first of three parts and stops there. */
async function cutOff(store: Store, key: string, body: Buffer): Promise<UploadState> {
  const source = sourceOf(body);
  const stop = new AbortController();
  const stopping: LargeSource = {
    ...source,
    progress: (state) => {
      source.progress(state);
      if (state.parts.length === 1) stop.abort();
    },
  };
  const error = await storeError(store.putLarge(key, stopping, undefined, stop.signal));
  assert.equal(error.fault, 'aborted');
  const state = source.states.at(-1);
  assert.equal(state?.parts.length, 1);
  return state;
}
