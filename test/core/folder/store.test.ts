// What only a folder can get wrong: paths, other people's files, full and vanished disks, killed writers.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createKeyWalk } from '../../../app/core/folder/list.ts';
import { openFolderStore } from '../../../app/core/folder/store.ts';
import { tempDir } from '../../support/temp.ts';
import { bytes, keysOf, put, sourceOf, storeError } from '../store-samples.ts';

const STORE = join(import.meta.dirname, '../../../app/core/folder/store.ts');

async function folder(t: TestContext) {
  const root = join(await tempDir(t), 'bucket');
  return { root, store: openFolderStore(root) };
}

test('a folder that is not there lists as empty, and only a put makes it', async (t) => {
  const { root, store } = await folder(t);
  assert.deepEqual(await store.list('', ''), { objects: [], more: false });
  assert.equal(await store.head('key'), undefined);
  assert.equal(existsSync(root), false);
  await put(store, 'key', Buffer.from('x'));
  assert.equal(readFileSync(join(root, 'key'), 'utf8'), 'x');
});

test('a folder that vanished is unknown, not empty, and is not made anew behind a missing disk', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'dir/key', Buffer.from('x'));
  for (const emptied of [false, true]) {
    rmSync(root, { recursive: true });
    if (emptied) mkdirSync(root);
    assert.equal((await storeError(store.list('', ''))).fault, 'unavailable');
    assert.equal((await storeError(store.head('dir/key'))).fault, 'unavailable');
    assert.equal((await storeError(put(store, 'other', Buffer.from('x')))).fault, 'unavailable');
    assert.equal(existsSync(join(root, 'other')), false);
    if (!emptied) mkdirSync(root);
  }
});

test('a file where the folder should be is an error', async (t) => {
  const path = join(await tempDir(t), 'file');
  writeFileSync(path, '');
  assert.throws(() => openFolderStore(path), /is a file, not a folder/);
});

test('keys that are no paths inside the folder are refused, and nothing is written', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'key', Buffer.from('x'));
  const wrong = ['', '/', '/etc/x', 'a//b', 'a/', '..', '../x', 'a/../../x', './a', 'a/.', 'a\0b', '\ud800'];
  for (const key of [...wrong, '.ferry-tmp/x', '.ferry-tmp', 'x'.repeat(256), `${'é/'.repeat(400)}x`]) {
    assert.equal((await storeError(put(store, key, Buffer.from('y')))).fault, 'bad-request', key);
  }
  assert.deepEqual(readdirSync(dirname(root)), ['bucket']);
  assert.deepEqual(readdirSync(root).sort(), ['.ferry-tmp', 'key']);
  assert.deepEqual(readdirSync(join(root, '.ferry-tmp')), []);
});

test('a key cannot be both a file and a directory: the second is refused by name', async (t) => {
  const { store } = await folder(t);
  await put(store, 'a', Buffer.from('file'));
  await put(store, 'b/c', Buffer.from('file'));
  for (const key of ['a/b', 'a/b/c', 'b']) {
    const error = await storeError(put(store, key, Buffer.from('x')));
    assert.equal(error.fault, 'bad-request');
    assert.match(error.message, /file or link|directory or link/);
  }
  assert.deepEqual(await keysOf(store, '', ''), ['a', 'b/c']);
});

test('symbolic links are not followed out of the folder, and not listed', async (t) => {
  const { root, store } = await folder(t);
  const outside = await tempDir(t);
  writeFileSync(join(outside, 'secret'), 'x');
  await put(store, 'key', Buffer.from('x'));
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'secret'), join(root, 'link'));
  assert.equal((await storeError(put(store, 'out/new', Buffer.from('x')))).fault, 'bad-request');
  assert.equal((await storeError(put(store, 'link', Buffer.from('x')))).fault, 'bad-request');
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.deepEqual(await keysOf(store, '', ''), ['key']);
});

test('what is no regular file or has no name in UTF-8 is left out of the listing', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'key', Buffer.from('x'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), 'x');
  mkdirSync(join(root, 'empty'));
  assert.deepEqual(await keysOf(store, '', ''), ['key']);
});

test('a directory removed in between is made again', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'a/b/1', Buffer.from('x'));
  rmSync(join(root, 'a'), { recursive: true });
  assert.equal((await put(store, 'a/b/2', Buffer.from('x'))).outcome, 'created');
  assert.deepEqual(await keysOf(store, '', ''), ['a/b/2']);
});

test('ETags come from the content: the same after a new start, another one after a change', async (t) => {
  const { root, store } = await folder(t);
  const small = await put(store, 'small', Buffer.from('content'));
  const large = await store.putLarge('large', sourceOf(bytes(9 * 2 ** 20, 1)));
  const etagsOf = async (of: typeof store) => (await of.list('', '')).objects.map(({ etag }) => etag);
  const expected = [large, small].map((result) => ('etag' in result ? result.etag : ''));
  assert.deepEqual(await etagsOf(store), expected);
  assert.deepEqual(await etagsOf(openFolderStore(root)), expected);

  const before = lstatSync(join(root, 'small'));
  writeFileSync(join(root, 'small'), 'CONTENT');
  utimesSync(join(root, 'small'), before.atime, before.mtime);
  assert.notEqual((await etagsOf(store))[1], expected[1]);
});

test('the temporary files of a killed process are cleared, those of a live one are not', async (t) => {
  const { root } = await folder(t);
  const script = `
    const { openFolderStore } = await import(${JSON.stringify(STORE)});
    await openFolderStore(${JSON.stringify(root)}).putLarge('large', {
      sizeBytes: 20 * 2 ** 20,
      read: (offset, length) => {
        if (offset > 0) {
          process.stdout.write('half\\n');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        }
        return Buffer.alloc(length);
      },
      progress() {},
      beforeCommit() {},
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const temporary = () => readdirSync(join(root, '.ferry-tmp'));
  assert.deepEqual(await keysOf(openFolderStore(root), '', ''), []);
  assert.equal(temporary().length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(await keysOf(openFolderStore(root), '', ''), []);
  assert.deepEqual(temporary(), []);
});

test("another host's temporary files are cleared only when nobody wrote to them for a week", async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'key', Buffer.from('x'));
  const fresh = join(root, '.ferry-tmp', 'elsewhere~1~1~1');
  const old = join(root, '.ferry-tmp', 'elsewhere~1~1~2');
  for (const path of [fresh, old]) writeFileSync(path, '');
  utimesSync(old, 0, Date.now() / 1_000 - 8 * 86_400);
  openFolderStore(root);
  assert.deepEqual([existsSync(fresh), existsSync(old)], [true, false]);
});

test('a directory that may not be read makes the listing fail instead of shorter', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'a/1', Buffer.from('x'));
  await put(store, 'b/1', Buffer.from('x'));
  await asNobody(t, root, async () => {
    chmodSync(join(root, 'a'), 0);
    assert.equal((await storeError(store.list('', ''))).fault, 'denied');
    assert.equal((await store.list('b/', '')).objects.length, 1);
    chmodSync(join(root, 'a'), 0o700);
  });
});

test('a directory that may not be written to is told as denied, and what to do', async (t) => {
  const { root, store } = await folder(t);
  await put(store, 'a/1', Buffer.from('x'));
  await asNobody(t, root, async () => {
    chmodSync(join(root, 'a'), 0o500);
    const error = await storeError(put(store, 'a/2', Buffer.from('x')));
    assert.equal(error.fault, 'denied');
    assert.match(error.message, /permission/);
    chmodSync(join(root, 'a'), 0o700);
  });
  assert.deepEqual(readdirSync(join(root, '.ferry-tmp')), []);
});

test('a full disk is told as no-space and leaves nothing behind', async (t) => {
  const disk = join(await tempDir(t), 'disk');
  mkdirSync(disk);
  const script = `
    const { openFolderStore } = await import(${JSON.stringify(STORE)});
    const { createHash } = await import('node:crypto');
    const { readdirSync } = await import('node:fs');
    const store = openFolderStore(process.argv[1]);
    const put = (key, body) => store.put(key, body, createHash('sha256').update(body).digest('hex'));
    await put('small', Buffer.from('x'));
    const fault = await put('big', Buffer.alloc(2 ** 20)).catch((error) => error.fault);
    const { objects } = await store.list('', '');
    const left = readdirSync(process.argv[1] + '/.ferry-tmp').length;
    console.log(JSON.stringify({ fault, left, keys: objects.map((object) => object.key) }));`;
  const mount =
    'mount -t tmpfs -o size=512k tmpfs "$1" || exit 77; exec "$2" --input-type=module -e "$3" "$1"';
  const args = ['-rm', 'sh', '-c', mount, 'sh', disk, process.execPath, script];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const noUnshare = new Promise((resolve) => child.once('error', () => resolve(77)));
  const closed = new Promise((resolve) => child.once('close', resolve));
  const code = await Promise.race([closed, noUnshare]);
  if (code === 77 || errors.startsWith('unshare:')) return t.skip('needs unshare and leave to mount a tmpfs');
  assert.equal(code, 0, errors);
  assert.deepEqual(JSON.parse(output), { fault: 'no-space', left: 0, keys: ['small'] });
});

test('a directory larger than what is held of it is listed whole and in order, from anywhere', async (t) => {
  const root = await tempDir(t);
  const segment = fc.constantFrom('a', 'a-', 'a.b', 'b', 'c', 'd', 'é', '\uffe5', '\u{1F6A2}');
  const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  let round = 0;
  const check = async (names: string[], after: string, prefix: string, windowNames: number) => {
    round += 1;
    const directory = join(root, String(round));
    mkdirSync(directory);
    const distinct = [...new Set(names)];
    const keys = distinct.filter((name) => !distinct.some((other) => other.startsWith(`${name}/`)));
    for (const name of keys) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), '');
    }
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const expected = keys.filter((name) => name.startsWith(prefix) && byBytes(name, after) > 0).sort(byBytes);
    const walk = createKeyWalk(directory, windowNames);
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await collect(walk.keys(prefix, after)), expected);
    }
  };
  const names = fc.array(key, { maxLength: 20 });
  const prefix = fc.oneof(fc.constantFrom('', 'a', 'a/', 'b', 'é/'), key);
  const after = fc.oneof(fc.constant(''), key);
  await fc.assert(fc.asyncProperty(names, after, prefix, fc.integer({ min: 2, max: 5 }), check), {
    numRuns: 150,
  });
});

test('what was put since the last page is on the next one', async (t) => {
  const { root, store } = await folder(t);
  for (const key of ['a', 'c', 'z/1']) await put(store, key, Buffer.from(key));
  // Long ago, so that what was read of the directories is kept.
  for (const path of [root, join(root, 'z')]) utimesSync(path, 0, 0);
  assert.deepEqual(await keysOf(store, '', ''), ['a', 'c', 'z/1']);
  for (const key of ['b', 'd', 'z/2']) await put(store, key, Buffer.from(key));
  assert.deepEqual(await keysOf(store, '', 'a'), ['b', 'c', 'd', 'z/1', 'z/2']);
});

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

/** Root may do everything: then the work is done as the user `nobody`, who owns the folder. */
async function asNobody(t: TestContext, root: string, work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0 || !process.seteuid) return work();
  const nobody = 65_534;
  for (const entry of [dirname(root), root, ...readdirSync(root, { recursive: true, encoding: 'utf8' })]) {
    chownSync(entry.startsWith('/') ? entry : join(root, entry), nobody, nobody);
  }
  process.seteuid(nobody);
  try {
    await work();
  } finally {
    process.seteuid(0);
  }
  t.diagnostic('done as the user nobody');
}
