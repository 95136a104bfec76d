import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summaryLine, verdict } from '../../app/files/summary.ts';
import { snapshotOf } from './snapshot-of.ts';

const NOW_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A mover that has worked and walks every few seconds. */
const walking = (over: Partial<Parameters<typeof snapshotOf>[0]> = {}) =>
  snapshotOf({ atMs: NOW_MS, startedAtMs: NOW_MS - 24 * HOUR_MS, lastWalkAtMs: NOW_MS - 2_000, ...over });

test('a mover whose first walk has not ended is starting', () => {
  assert.equal(
    verdict(snapshotOf({ atMs: NOW_MS, startedAtMs: NOW_MS - 3_000, backlog: { files: 9, bytes: 9 } }))
      .verdict,
    'starting',
  );
});

test('an idle writer leaves nothing waiting and its last arrival is long ago', () => {
  const { verdict: name, why } = verdict(
    walking({ lastArrivalAtMs: NOW_MS - 3 * HOUR_MS, lastSuccessAtMs: NOW_MS - 3 * HOUR_MS }),
  );
  assert.equal(name, 'idle');
  assert.match(why, /last file arrived 3h ago/);
  assert.match(verdict(walking()).why, /nothing has arrived since the start 1d ago/);
});

test('a store that refuses while nothing waits does not make an idle writer look stuck', () => {
  const store = { ok: false, fault: 'denied', message: 'Access Denied', sinceMs: NOW_MS - HOUR_MS };
  assert.equal(verdict(walking({ store, lastArrivalAtMs: NOW_MS - HOUR_MS })).verdict, 'idle');
});

test('files that wait while nothing succeeds are stuck, and the store fault is named', () => {
  const { verdict: name, why } = verdict(
    walking({
      backlog: { files: 40, bytes: 40_000 },
      failing: new Map([['denied', 40]]),
      oldestUnprovedAgeMs: 10 * MINUTE_MS,
      lastSuccessAtMs: NOW_MS - 10 * MINUTE_MS,
      lastArrivalAtMs: NOW_MS - 1_000,
      store: { ok: false, fault: 'denied', message: 'Access Denied.', sinceMs: NOW_MS - 10 * MINUTE_MS },
    }),
  );
  assert.equal(name, 'stuck');
  assert.equal(
    why,
    'Nothing succeeded for 10m while 40 files wait to be sent: Access Denied; 40 files are refused by the store (denied).',
  );
});

test('an uploader that hangs without any error is stuck too, a little later', () => {
  const hung = (ageMs: number) =>
    verdict(
      walking({
        backlog: { files: 1, bytes: 1 },
        oldestUnprovedAgeMs: ageMs,
        lastSuccessAtMs: NOW_MS - 5 * HOUR_MS,
      }),
    );
  assert.equal(hung(MINUTE_MS).verdict, 'flowing');
  assert.equal(hung(20 * MINUTE_MS).verdict, 'stuck');
  assert.match(hung(20 * MINUTE_MS).why, /the store gave no error/);
});

test('files sent and never proved are stuck', () => {
  const snapshot = walking({
    unproved: { files: 3, bytes: 3 },
    oldestUnprovedAgeMs: HOUR_MS,
    lastSuccessAtMs: NOW_MS - HOUR_MS,
    failing: new Map([['bad-listing', 1]]),
  });
  assert.equal(verdict(snapshot).verdict, 'stuck');
  assert.match(
    verdict(snapshot).why,
    /3 files wait to be proved: 1 file waits for a listing that can be trusted \(bad-listing\)/,
  );
});

test('the first file after hours of idleness does not look stuck', () => {
  const snapshot = walking({
    backlog: { files: 1, bytes: 1_000 },
    oldestUnprovedAgeMs: 8_000,
    lastSuccessAtMs: NOW_MS - 6 * HOUR_MS,
    lastArrivalAtMs: NOW_MS - 8_000,
  });
  assert.equal(verdict(snapshot).verdict, 'flowing');
});

test('one bad file among many that move is flowing, and the reason is told', () => {
  const { verdict: name, why } = verdict(
    walking({
      backlog: { files: 3, bytes: 3 },
      failing: new Map([['unreadable', 1]]),
      oldestUnprovedAgeMs: HOUR_MS,
      lastSuccessAtMs: NOW_MS - 500,
    }),
  );
  assert.equal(name, 'flowing');
  assert.match(why, /although 1 file may not be read by this user \(unreadable\)/);
});

test('files that are still written to are settling, not stuck', () => {
  const snapshot = walking({ settling: 2, oldestUnprovedAgeMs: HOUR_MS, lastSuccessAtMs: NOW_MS - HOUR_MS });
  assert.equal(verdict(snapshot).verdict, 'settling');
});

test('a mover whose walks no longer end is stuck', () => {
  const { verdict: name, why } = verdict(walking({ lastWalkAtMs: NOW_MS - 2 * HOUR_MS }));
  assert.equal(name, 'stuck');
  assert.match(why, /No walk over the source has ended for 2h/);
});

test('a mover that stops says what is left', () => {
  const leaving = verdict(walking({ draining: true, inFlight: 1, unproved: { files: 2, bytes: 2 } }));
  assert.deepEqual(leaving, {
    verdict: 'draining',
    why: 'Stopping: 1 file in flight, 2 files wait to be proved.',
  });
  assert.match(verdict(walking({ draining: true })).why, /nothing is left/);
});

test('the line says what moved in the interval, what waits, and when the disk is full', () => {
  const tally = (files: number) => ({ files, bytes: files * 1_024 });
  const before = walking({
    total: { seen: tally(100), sent: tally(90), failures: new Map([['throttled', 3]]) },
  });
  const now = walking({
    atMs: NOW_MS + MINUTE_MS,
    lastWalkAtMs: NOW_MS + MINUTE_MS,
    total: {
      seen: tally(820),
      sent: tally(810),
      deduplicated: tally(5),
      proved: tally(700),
      freed: tally(40),
      freedEarly: tally(10),
      failures: new Map([
        ['throttled', 5],
        ['EACCES', 1],
      ]),
    },
    backlog: tally(5),
    unproved: tally(110),
    oldestUnprovedAgeMs: 61_000,
    lastSuccessAtMs: NOW_MS + MINUTE_MS - 1_500,
    disk: {
      usedBytes: 2 ** 30,
      limitBytes: 2 ** 32,
      usedInodes: 820,
      limitInodes: Infinity,
      growthBytesPerSecond: 49_152,
      fullInMs: 18_180_000,
      level: 'ok',
    },
  });
  const { message, fields } = summaryLine(now, before);
  assert.equal(
    message,
    'flowing: in 1m seen 720 files (720.0 KiB), sent 720 files (720.0 KiB), deduplicated 5, proved 700, ' +
      'freed 40 (10 early), failed 3 (throttled 2, EACCES 1); 12 files/s, 12.0 KiB/s; backlog 5 files (5.00 KiB), ' +
      'unproved 110, settling 0, oldest 1m 1s; disk 1.00 GiB of 4.00 GiB, full in 5h 3m; last success 2s ago.',
  );
  assert.equal(fields.verdict, 'flowing');
  assert.equal(fields.sentFiles, 810);
  assert.equal(fields.sentFilesPerSecond, 12);
  assert.equal(fields.secondsSinceSuccess, 1.5);
  assert.equal(fields.oldestUnprovedAgeSeconds, 61);
  assert.equal(fields.diskFullInSeconds, 18_180);
  assert.deepEqual(fields.failures, { throttled: 5, EACCES: 1 });
  assert.ok(!('diskLimitInodes' in fields));
});

test('without an earlier snapshot the line covers the time since the start, and unknown fields are left out', () => {
  const { message, fields } = summaryLine(snapshotOf({ atMs: NOW_MS, startedAtMs: NOW_MS }), undefined);
  assert.match(message, /^starting: .*no success yet\.$/);
  for (const value of Object.values(fields)) assert.notEqual(value, undefined);
  assert.ok(!Object.values(fields).some((value) => typeof value === 'number' && !Number.isFinite(value)));
});

test('the line of a stuck mover carries the sentence that says why', () => {
  const stuck = walking({
    backlog: { files: 1, bytes: 1 },
    oldestUnprovedAgeMs: HOUR_MS,
    lastSuccessAtMs: NOW_MS - HOUR_MS,
    store: { ok: false, fault: 'no-bucket', sinceMs: NOW_MS },
  });
  assert.match(summaryLine(stuck, undefined).message, /^stuck: .* the store fails\.$/);
});

test('a store that has failed for ten seconds while files wait is a stuck mover at once; a moment is not', () => {
  const failing = (agoMs: number) => {
    const snapshot = walking({ backlog: { files: 3, bytes: 30 }, lastSuccessAtMs: NOW_MS - agoMs });
    const store = {
      ok: false,
      fault: 'network',
      message: 'Connection refused.',
      sinceMs: snapshot.atMs - agoMs,
    };
    return verdict({ ...snapshot, store });
  };
  assert.notEqual(failing(2_000).verdict, 'stuck');
  assert.equal(failing(10_000).verdict, 'stuck');
  assert.match(failing(10_000).why, /Connection refused/);
});
