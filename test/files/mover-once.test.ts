// One pass over everything a directory can hold: what is a file arrives byte for byte, what is not is counted and left.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { NOBODY, spawnFiles } from '../support/ferry-child.ts';
import {
  assertExactly,
  createRig,
  dataObjects,
  localHashes,
  type Rig,
  sha256,
} from '../support/mover-rig.ts';

const ODD_NAMES = [
  'with space',
  'emoji-🚢',
  '100%',
  'a%2Fb',
  'a+b',
  'new\nline',
  'tab\there',
  `quote"and'single`,
  'back\\slash',
  '&<xml>',
  '.hidden',
  '-dash',
  'ümlaut',
  '~tilde',
  'q?query#hash',
  'a;b=c@d:e,f',
  'ends.',
  'x'.repeat(255),
];

function buildTree(rig: Rig): void {
  for (const name of ODD_NAMES) {
    rig.write(name);
    rig.write(join('sub dir/🗂', name));
  }
  rig.write('deep/er/and/deeper/file');
  rig.write('empty-1', '');
  const nonUtf8 = Buffer.concat([Buffer.from(`${rig.source}/bytes-`), Buffer.from([0xff, 0xfe, 0x41])]);
  writeFileSync(nonUtf8, 'a name that is no UTF-8');
  rig.write('large.bin', randomBytes(20 * 2 ** 20));
}

async function addOthers(t: TestContext, rig: Rig): Promise<void> {
  symlinkSync(join(rig.source, 'large.bin'), join(rig.source, 'link'));
  symlinkSync('/etc', join(rig.source, 'link-to-directory'));
  execFileSync('mkfifo', [join(rig.source, 'pipe')]);
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(join(rig.source, 'socket'), resolve));
  t.after(() => listener.close());
}

test('every file of a tree with odd names, empty and large files lands byte for byte in one object; links, FIFOs and sockets are counted, never opened', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  buildTree(rig);
  await addOthers(t, rig);
  const local = localHashes(rig.source);
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assertExactly(rig.server, local.values());
  for (const name of ODD_NAMES) {
    assert.ok(rig.server.objects.has(name), JSON.stringify(name));
    assert.ok(rig.server.objects.has(`sub dir/🗂/${name}`), JSON.stringify(name));
  }
  assert.ok(rig.server.objects.has('bytes-%FF%FEA'));
  assert.equal(rig.asked('UploadPart'), 3);
  assert.deepEqual(Object.fromEntries(snapshot.skipped), { symlink: 2, fifo: 1, socket: 1 });
  assert.equal(snapshot.total.proved.files, local.size);
  assert.equal(localHashes(rig.source).size, local.size);
});

test('with no retention one pass proves and frees every file, and leaves links, FIFOs and sockets', async (t) => {
  const rig = await createRig(t);
  buildTree(rig);
  await addOthers(t, rig);
  const local = localHashes(rig.source);
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assertExactly(rig.server, local.values());
  assert.equal(snapshot.total.freed.files, local.size);
  assert.equal(localHashes(rig.source).size, 0);
});

test('two empty files are two objects', async (t) => {
  const rig = await createRig(t);
  rig.write('a/empty', '');
  rig.write('b/empty', '');
  assert.equal((await rig.once()).exit, 'ok');
  assert.deepEqual([...rig.server.objects.keys()].sort(), ['a/empty', 'b/empty']);
});

test('a file that may not be read is named, the rest is moved, and the pass ends incomplete', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to run as another user');
  const rig = await createRig(t);
  chmodSync(rig.directory, 0o755);
  rig.write('good-1');
  rig.write('good-2');
  const bad = join(rig.source, 'may-not-be-read');
  writeFileSync(bad, 'secret', { mode: 0o600 });
  mkdirSync(rig.state);
  chownSync(rig.state, NOBODY, NOBODY);
  const run = spawnFiles(t, rig, ['--once', '--keep'], { uid: NOBODY });
  const { exit, stdout, stderr } = await run.ended;
  assert.equal(exit, EXIT.incomplete, stderr.slice(0, 500));
  assert.equal(dataObjects(rig.server).length, 2);
  assert.match(stdout, /left behind \(unreadable\).*may-not-be-read/);
});

test('a directory that may not be read makes the pass incomplete and is named', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to run as another user');
  const rig = await createRig(t);
  chmodSync(rig.directory, 0o755);
  rig.write('good');
  mkdirSync(join(rig.source, 'closed'), { mode: 0o700 });
  mkdirSync(rig.state);
  chownSync(rig.state, NOBODY, NOBODY);
  const run = spawnFiles(t, rig, ['--once', '--keep'], { uid: NOBODY });
  const { exit, stdout } = await run.ended;
  assert.equal(exit, EXIT.incomplete);
  assert.equal(dataObjects(rig.server).length, 1);
  assert.match(stdout, /cannot read \\"closed\\"/);
});

test('a second pass over 2,000 files sends nothing; without its memory it lists and still sends nothing', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, key: 'dt={date}/hh={hour}/{path}' } });
  for (let number = 0; number < 2_000; number += 1) rig.write(`d${number % 7}/file-${number}`);
  const first = await rig.once();
  assert.equal(first.exit, 'ok');
  const local = localHashes(rig.source);
  assertExactly(rig.server, local.values());
  const puts = rig.asked('PutObject');
  assert.equal(puts, 2_000);

  const second = await rig.once();
  assert.equal(second.exit, 'ok');
  assert.equal(rig.asked('PutObject'), puts);

  rmSync(rig.state, { recursive: true });
  const listings = rig.asked('ListObjectsV2');
  const third = await rig.once();
  assert.equal(third.exit, 'ok');
  assert.equal(rig.asked('PutObject'), puts);
  assert.equal(third.snapshot.total.deduplicated.files, 2_000);
  const asked = rig.asked('ListObjectsV2') - listings;
  assert.ok(asked <= 12, `${asked} listings for 2,000 objects`);
  assertExactly(rig.server, local.values());
});

test('without its memory, files that are in the bucket are freed only after a listing of this run', async (t) => {
  const rig = await createRig(t);
  const hash = rig.write('once-sent', 'the same content');
  await rig.once({ keep: true });
  rmSync(rig.state, { recursive: true });
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.freed.files, 1);
  assertExactly(rig.server, [hash]);
  assert.equal(hash, sha256('the same content'));
});

test('more young files than the queue holds at once all land in one run', async (t) => {
  const rig = await createRig(t, { keepBodies: false });
  for (let number = 0; number < 9_000; number += 1) rig.write(`d${number % 9}/${number}`, String(number));
  const { exit, snapshot } = await rig.once({ settleMs: 3_000, keep: true });
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.sent.files, 9_000);
  assert.equal(rig.server.objects.size, 9_000);
});

test('a flat directory of 6,000 files is proved with a listing for each 500 objects or fewer', async (t) => {
  const rig = await createRig(t, { keepBodies: false });
  // Made in no order, as a writer's random names are.
  for (let number = 0; number < 6_000; number += 1)
    rig.writeOld(`file-${String((number * 7_919) % 6_000).padStart(5, '0')}`, 60_000);
  const layout = { keep: true, key: 'dt={date}/hh={hour}/{path}', proveEveryMs: 60_000 };
  const { exit, snapshot } = await rig.once(layout);
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.proved.files, 6_000);
  // Beside one for each 500: the first look, the question whether the bucket is empty, and where passes meet.
  assert.ok(snapshot.total.listings <= 12 + 4, `${snapshot.total.listings} listings`);
});
