// Who goes first: fresh files before an old backlog, and nobody behind a bad file.
import assert from 'node:assert/strict';
import { StatementSync } from 'node:sqlite';
import { test } from 'node:test';
import { createRig, type Rig } from '../support/mover-rig.ts';
import { slowReply } from '../support/slow.ts';
import { until } from '../support/temp.ts';

const DAY_MS = 86_400_000;

function landed(rig: Rig, prefix: string): number {
  return [...rig.server.objects.keys()].filter((key) => key.startsWith(prefix)).length;
}

test('files that arrive while a backlog of 3,000 is under way land before most of it', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  for (let number = 0; number < 3_000; number += 1) rig.writeOld(`old/${number}`, DAY_MS);
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: slowReply(40) });
  const mover = await rig.start();
  await until(() => landed(rig, 'old/') >= 100, 'the backlog is under way');
  for (let number = 0; number < 50; number += 1) rig.write(`fresh/${number}`);
  await until(() => landed(rig, 'fresh/') === 50, 'every fresh file is in the bucket');
  const backlogLanded = landed(rig, 'old/');
  assert.ok(backlogLanded < 1_000, `${backlogLanded} of 3,000 old files went first`);
  const { backlog } = mover.snapshot();
  assert.ok(backlog.files > 1_000, `the snapshot tells of a backlog of ${backlog.files}`);
  rig.server.faults.clear();
  await until(() => landed(rig, 'old/') === 3_000, 'the backlog is worked off', 120_000);
});

test('while fresh files keep coming the backlog does not stand still', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, concurrency: 4, settleMs: 50 } });
  for (let number = 0; number < 400; number += 1) rig.writeOld(`old/${number}`, DAY_MS);
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: slowReply(20) });
  await rig.start();
  let fresh = 0;
  await until(
    () => {
      for (const until = fresh + 3; fresh < until; fresh += 1) rig.write(`fresh/${fresh}`);
      return landed(rig, 'old/') >= 150;
    },
    'a part of the backlog has landed',
    60_000,
  );
  assert.ok(landed(rig, 'fresh/') > 50, `${landed(rig, 'fresh/')} fresh files landed meanwhile`);
});

for (const [reason, status, code] of [
  ['bad-request', 400, 'InvalidArgument'],
  ['denied', 403, 'AccessDenied'],
] as const) {
  test(`a file that the store refuses for ever (${status}) blocks nobody, backs off and is listed by its reason`, async (t) => {
    const rig = await createRig(t);
    const tries = rig.server.faults.add({
      when: ({ key }) => key === 'bad',
      do: { kind: 'status', status, code },
    });
    rig.write('bad');
    for (let number = 0; number < 300; number += 1) rig.write(`good/${number}`);
    const mover = await rig.start();
    await until(() => mover.snapshot().total.freed.files === 300, 'all the others are moved and freed');
    rig.write('later');
    await until(() => mover.snapshot().total.freed.files === 301, 'so is one that came later');
    await until(() => tries.hits() >= 2, 'the bad one is tried again');
    assert.deepEqual([...mover.snapshot().failing], [[reason, 1]]);
    const walksBefore = mover.snapshot().total.walks;
    const triesBefore = tries.hits();
    await until(() => mover.snapshot().total.walks > walksBefore + 30, 'thirty more walks');
    assert.ok(tries.hits() - triesBefore <= 2, `${tries.hits() - triesBefore} tries in thirty walks`);
    tries.remove();
    await until(() => rig.server.objects.has('bad'), 'mended, it lands');
    await until(() => mover.snapshot().failing.size === 0, 'and fails no more');
  });
}

test('one pass over a tree with a refused file moves the rest, names it, and ends incomplete', async (t) => {
  const rig = await createRig(t);
  rig.server.faults.add({
    when: ({ key }) => key === 'bad',
    do: { kind: 'status', status: 400, code: 'InvalidArgument' },
  });
  rig.write('bad');
  for (let number = 0; number < 50; number += 1) rig.write(`good/${number}`);
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'incomplete');
  assert.equal(snapshot.total.freed.files, 50);
  const line = rig.lines.find(({ message }) => message.startsWith('left behind (bad-request)'));
  assert.equal(line?.path, 'bad');
});

test('a hundred bad files and a hundred good ones: the good ones do not wait', async (t) => {
  const rig = await createRig(t);
  rig.server.faults.add({
    when: ({ key }) => key.startsWith('bad/'),
    do: { kind: 'status', status: 400, code: 'InvalidArgument' },
  });
  for (let number = 0; number < 100; number += 1) {
    rig.write(`bad/${number}`);
    rig.write(`good/${number}`);
  }
  const mover = await rig.start();
  await until(() => mover.snapshot().total.freed.files === 100, 'all good files are moved and freed');
  await until(() => mover.snapshot().failing.get('bad-request') === 100, 'each bad one was tried');
  assert.equal(mover.snapshot().total.freed.files, 100);
});

test('a mover that is killed while files are in flight and rows are not yet written ends soon', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  for (let number = 0; number < 500; number += 1) rig.write(`file-${number}`);
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: slowReply(20) });
  const mover = await rig.start();
  for (const enough of [40, 60, 80]) {
    await until(() => mover.snapshot().total.sent.files >= enough, 'files are moving');
  }
  mover.kill();
  const killedMs = performance.now();
  await mover.done.catch(() => {});
  const tookMs = performance.now() - killedMs;
  assert.ok(tookMs < 10_000, `${Math.round(tookMs)} ms`);
});

test('after a restart one pass in a hurry meets what is known and sends the file that came meanwhile; patrols after it are slow', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, settleMs: 0 } });
  for (let number = 0; number < 1_000; number += 1) rig.writeOld(`old/${number}`, DAY_MS);
  await rig.once();
  rig.writeOld('while-nobody-ran', DAY_MS);
  // At this share 1,000 files take a patrol a minute.
  const mover = await rig.start({ walkCpuShare: 0.000_1 });
  await until(() => landed(rig, 'while-nobody-ran') === 1, 'the file that came meanwhile is in the bucket');
  await until(() => mover.snapshot().lastWalkAtMs !== undefined, 'everything was met');
  // The kernel tells of this one; in that time a pass in a hurry would come around many times.
  rig.write('told-of');
  // A file is counted a moment after it landed.
  await until(() => mover.snapshot().total.sent.files >= 2, 'the next file is sent');
  assert.equal(mover.snapshot().total.walks, 1);
  assert.equal(mover.snapshot().total.sent.files, 2);
  assert.equal(landed(rig, 'told-of'), 1);
});

test('after a restart more files than the queue holds are sent too', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, settleMs: 0 }, hints: false });
  rig.writeOld('known', DAY_MS);
  await rig.once();
  for (let number = 0; number < 800; number += 1) rig.writeOld(`new/${number}`, DAY_MS);
  const mover = await rig.start({ walkCpuShare: 0.000_1 });
  await until(() => mover.snapshot().total.sent.files === 800, 'all that came meanwhile is sent');
  assert.equal(landed(rig, 'new/'), 800);
});

test('a ledger that cannot be read ahead is told of, and files are sent all the same', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, settleMs: 0 }, hints: false });
  rig.writeOld('known', DAY_MS);
  await rig.once();
  rig.writeOld('while-nobody-ran', DAY_MS);
  const read = t.mock.method(StatementSync.prototype, 'all', () => {
    throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
  });
  await rig.start();
  await until(
    () => rig.lines.some(({ message }) => /could not be read ahead: disk I\/O error/.test(message)),
    'it is told',
  );
  read.mock.restore();
  await until(() => landed(rig, 'while-nobody-ran') === 1, 'the file that came meanwhile is in the bucket');
});
