// Files that change under the mover: what is sent is whole, what is rewritten is sent again, what is deleted was proved.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRig, localHashes, objectsByContent, sha256 } from '../support/mover-rig.ts';
import { createGate } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';
import { runWriters } from '../support/writers.ts';
import { assertWritersMoved } from '../support/writers-check.ts';

test('100 writers, plain, renaming, slow, rewriting and vanishing: no half-written object, none twice, none lost', async (t) => {
  const rig = await createRig(t, { settings: { settleMs: 1_500 } });
  const mover = await rig.start();
  const written = await runWriters(rig.source, 100, 60);
  await assertWritersMoved(rig, mover, written);
  assert.equal(localHashes(rig.source).size, 0);
});

test('a file rewritten after its upload is a second object under a key of its own; the first is never overwritten', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  const first = rig.write('report', 'first content');
  const mover = await rig.start();
  await until(() => mover.snapshot().total.proved.files === 1, 'the first content is proved');
  const second = rig.write('report', 'other content');
  await until(() => mover.snapshot().total.proved.files === 2, 'the second content is proved');
  assert.equal(rig.server.objects.get('report')?.sha256Hex, first);
  assert.deepEqual(
    [...objectsByContent(rig.server)].sort(),
    [
      [first, 1],
      [second, 1],
    ].sort(),
  );
  assert.ok([...rig.server.objects.values()].every(({ puts }) => puts === 1));
  assert.equal(mover.snapshot().total.conflicts, 1);
  assert.ok(rig.lines.some(({ message }) => message.includes('the key held other content')));
});

test('with the hour in the key, content of another hour has its own key and is no conflict', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, key: 'dt={date}/hh={hour}/{path}' } });
  const first = rig.writeOld('report', 7_200_000, 'first content');
  const mover = await rig.start();
  await until(() => mover.snapshot().total.proved.files === 1, 'the first content is proved');
  const second = rig.write('report', 'other content');
  await until(() => mover.snapshot().total.proved.files === 2, 'the second content is proved');
  assert.deepEqual([...objectsByContent(rig.server).keys()].sort(), [first, second].sort());
  assert.equal(mover.snapshot().total.conflicts, 0);
  assert.ok([...rig.server.objects.keys()].every((key) => /^dt=[\d-]{10}\/hh=\d\d\/report$/.test(key)));
});

test('a key taken by other content before the start is left alone', async (t) => {
  const rig = await createRig(t);
  rig.server.place('name', Buffer.from('somebody else’s'));
  const hash = rig.write('name');
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.conflicts, 1);
  assert.equal(rig.server.objects.get('name')?.puts, 1);
  assert.equal(objectsByContent(rig.server).get(hash), 1);
  assert.equal(rig.server.objects.size, 2);
});

test('a file rewritten between its proof and its delete stays and is sent again', async (t) => {
  // Between the end of the retention and the next walk, that is: time enough to be proved before that.
  const rig = await createRig(t, { hints: false, settings: { retentionMs: 4_000, walkEveryMs: 6_000 } });
  rig.write('late', 'before');
  const mover = await rig.start();
  await until(() => mover.snapshot().retained.files === 1, 'it is proved and kept');
  // The same size and the old mtime, as a careless rsync would leave it: ctime and inode tell.
  const absolute = join(rig.source, 'late');
  const { atime, mtime } = statSync(absolute);
  writeFileSync(absolute, 'after!');
  utimesSync(absolute, atime, mtime);
  const now = sha256('after!');
  await until(() => mover.snapshot().retained.files === 0, 'the retention has ended');
  assert.equal(readFileSync(absolute, 'utf8'), 'after!');
  assert.equal(mover.snapshot().total.freed.files, 0);
  await until(() => objectsByContent(rig.server).has(now), 'the new content is sent');
});

test('a file rewritten while its PUT is under way is sent again in its new state and only that is freed', async (t) => {
  const rig = await createRig(t);
  const gate = createGate();
  rig.server.faults.add({
    when: ({ op }) => op === 'PutObject',
    times: 1,
    do: { kind: 'hold', gate, at: 'before' },
  });
  const before = rig.write('racing', 'old content');
  const mover = await rig.start();
  await gate.arrived;
  const after = rig.write('racing', 'new content');
  gate.release();
  await until(() => !existsSync(join(rig.source, 'racing')), 'the file is freed');
  const stored = objectsByContent(rig.server);
  assert.deepEqual([stored.get(before), stored.get(after)], [1, 1]);
  assert.equal(mover.snapshot().total.freed.files, 1);
});

test('a large file that grows while its parts go up is not committed; its later state is', async (t) => {
  const rig = await createRig(t);
  const gate = createGate();
  rig.server.faults.add({
    when: ({ op, query }) => op === 'UploadPart' && query.get('partNumber') === '2',
    times: 1,
    do: { kind: 'hold', gate, at: 'before' },
  });
  const half = rig.write('growing', Buffer.alloc(17 * 2 ** 20, 'a'));
  await rig.start();
  await gate.arrived;
  const whole = rig.write('growing', Buffer.alloc(18 * 2 ** 20, 'b'));
  gate.release();
  await until(() => objectsByContent(rig.server).has(whole), 'the later state is in the bucket');
  assert.ok(!objectsByContent(rig.server).has(half));
  await until(() => rig.server.uploads.size === 0, 'no unfinished upload is left behind');
});

test('only the owner’s bits changed: nothing is sent again', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  rig.write('same');
  const mover = await rig.start();
  await until(() => mover.snapshot().total.proved.files === 1, 'it is proved');
  const puts = rig.asked('PutObject');
  chmodSync(join(rig.source, 'same'), 0o600);
  await until(() => mover.snapshot().total.proved.files === 2, 'it is proved again');
  assert.equal(rig.asked('PutObject'), puts);
  assert.equal(rig.server.objects.size, 1);
});
