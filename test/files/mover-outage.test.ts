// A store in trouble: no storm while it lasts, everything moved when it is over, and a word that tells it from idleness.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilesSnapshot } from '../../app/files/snapshot.ts';
import { summaryLine, verdict } from '../../app/files/summary.ts';
import { assertExactly, createRig, localHashes } from '../support/mover-rig.ts';
import { boundedOutage } from '../support/outage.ts';
import { createGate, DENIED, type FaultAction, SLOW_DOWN } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

const OUTAGES: Record<string, FaultAction> = {
  'connections are reset': { kind: 'reset' },
  'every call gets 503 SlowDown': SLOW_DOWN,
};

for (const [name, action] of Object.entries(OUTAGES)) {
  test(`while ${name} the requests are bounded; afterwards every file lands once`, (t) =>
    boundedOutage(t, action, 1_200));
}

test('a 503 that a second try mends is heard: fewer uploads go at once', async (t) => {
  const rig = await createRig(t, { settings: { settleMs: 0 } });
  for (let number = 0; number < 60; number += 1) rig.writeOld(`file-${number}`, 60_000);
  const isPut = ({ op }: { op: string }): boolean => op === 'PutObject';
  const gate = createGate();
  rig.server.faults.add({ when: isPut, times: 1, do: SLOW_DOWN });
  // The first sixteen went together. Whoever comes after them is held.
  let puts = 0;
  const comesLater = (request: { op: string }): boolean => {
    if (isPut(request)) puts += 1;
    return puts > 16;
  };
  rig.server.faults.add({ when: comesLater, do: { kind: 'hold', gate, at: 'before' } });
  const mover = await rig.start();
  await until(() => {
    const { inFlight, total } = mover.snapshot();
    return total.sent.files >= 15 && gate.count() >= 8 && gate.count() === inFlight;
  }, 'all that may go are held');
  assert.ok(gate.count() <= 11, `${gate.count()} at once`);
  gate.release();
  await until(() => mover.snapshot().total.freed.files === 60, 'everything is moved');
});

test('Retry-After is respected', async (t) => {
  const rig = await createRig(t);
  const asked: number[] = [];
  const isPut = ({ key, op }: { key: string; op: string }): boolean => {
    if (op !== 'PutObject' || key !== 'file') return false;
    asked.push(performance.now());
    return true;
  };
  rig.server.faults.add({
    when: isPut,
    times: 1,
    do: { kind: 'status', status: 503, code: 'SlowDown', retryAfterSeconds: 2 },
  });
  rig.server.faults.add({ when: (request) => isPut(request) && false, do: SLOW_DOWN });
  rig.write('file');
  const mover = await rig.start();
  await until(() => mover.snapshot().total.sent.files === 1, 'it is sent');
  const pauseMs = (asked[1] ?? 0) - (asked[0] ?? 0);
  assert.ok(pauseMs >= 1_950, `the second try came ${Math.round(pauseMs)} ms after the first`);
});

test('an expired token is named, deletes nothing, and once renewed everything goes on', async (t) => {
  const rig = await createRig(t);
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const { accessKeyId, secretAccessKey } = rig.server;
  rig.server.setCredentials([{ accessKeyId, secretAccessKey, expired: true }]);
  const hashes = Array.from({ length: 20 }, (_, number) => rig.write(`file-${number}`));
  await until(() => mover.snapshot().store?.fault === 'expired', 'the store’s trouble is known');
  assert.equal(localHashes(rig.source).size, 20);
  assert.ok(rig.lines.some(({ level, message }) => level === 'warn' && /expired/i.test(message)));
  rig.server.setCredentials([{ accessKeyId, secretAccessKey }]);
  await until(() => mover.snapshot().total.freed.files === 20, 'everything is moved', 40_000);
  assertExactly(rig.server, hashes);
});

test('a clock that is an hour off is either corrected or named; nothing is lost', async (t) => {
  const rig = await createRig(t);
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  rig.server.setClockSkewMs(3_600_000);
  const hash = rig.write('file');
  const { total } = mover.snapshot();
  await until(
    () => mover.snapshot().store?.fault === 'skew' || mover.snapshot().total.sent.files > total.sent.files,
    'it is corrected or named',
  );
  rig.server.setClockSkewMs(0);
  await until(() => mover.snapshot().total.freed.files === 1, 'it is moved', 40_000);
  assertExactly(rig.server, [hash]);
});

/** The same state of affairs some time later. */
function later(now: FilesSnapshot, ms: number): FilesSnapshot {
  const age = now.oldestUnprovedAgeMs;
  return { ...now, atMs: now.atMs + ms, oldestUnprovedAgeMs: age === undefined ? undefined : age + ms };
}

test('an idle writer and a stuck uploader are told apart by the verdict and its sentence', async (t) => {
  const rig = await createRig(t);
  const mover = await rig.start();
  rig.write('moved');
  await until(() => mover.snapshot().total.freed.files === 1, 'one file is moved');
  await until(() => mover.snapshot().backlog.files + mover.snapshot().settling === 0, 'nothing waits');
  const idle = verdict(later(mover.snapshot(), 600_000));
  assert.equal(idle.verdict, 'idle', idle.why);

  rig.server.faults.add({ when: () => true, do: DENIED });
  rig.write('stuck');
  await until(() => mover.snapshot().failing.size > 0, 'it fails');
  const stuck = verdict(later(mover.snapshot(), 600_000));
  assert.equal(stuck.verdict, 'stuck', stuck.why);
  assert.match(stuck.why, /denied/);
  assert.match(summaryLine(later(mover.snapshot(), 600_000), undefined).message, /^stuck: /);
});

test('a store that hangs without an answer is given up after the request timeout and told as stuck', async (t) => {
  const rig = await createRig(t, { settings: { requestTimeoutMs: 500 } });
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const gate = createGate();
  const hang = rig.server.faults.add({ when: () => true, do: { kind: 'hold', gate, at: 'before' } });
  rig.write('file');
  await until(() => mover.snapshot().store?.fault === 'timeout', 'the time-out is known');
  assert.equal(verdict(later(mover.snapshot(), 600_000)).verdict, 'stuck');
  hang.remove();
  gate.release();
  await until(() => mover.snapshot().total.freed.files === 1, 'it is moved', 30_000);
});

test('with --once a store that stays down ends the pass with an error instead of waiting for ever', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 5; number += 1) rig.write(`file-${number}`);
  rig.server.faults.add({ when: () => true, do: DENIED });
  const mover = await rig.start({ once: true });
  await assert.rejects(mover.done, { name: 'StoreError', fault: 'denied' });
  assert.equal(localHashes(rig.source).size, 5);
});
