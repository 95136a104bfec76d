// The line on top of the page says in words what a person would say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline } from '../../app/page/headline.ts';
import { snapshotOf } from '../files/snapshot-of.ts';

const AT = Date.parse('2026-11-21T09:20:00Z');
const MINUTE = 60_000;
const DISK = {
  usedBytes: 80,
  limitBytes: 100,
  usedInodes: 1,
  limitInodes: 100,
  growthBytesPerSecond: 1,
  fullInMs: undefined,
  level: 'ok',
} as const;

test('a writer that is quiet is idle, with how long it has been', () => {
  const now = snapshotOf({ atMs: AT, lastWalkAtMs: AT, lastArrivalAtMs: AT - 14 * MINUTE });
  assert.deepEqual(
    [headline(now).title, headline(now).tone],
    ['Idle: the writer has been quiet for 14 minutes', 'good'],
  );
});

test('files that move are flowing and nothing else is said', () => {
  const now = snapshotOf({
    atMs: AT,
    lastWalkAtMs: AT,
    lastArrivalAtMs: AT,
    lastSuccessAtMs: AT,
    settling: 2,
  });
  assert.deepEqual([headline(now).title, headline(now).remedy], ['Flowing', undefined]);
});

test('stuck says why, since when, with which code, when the disk is full and what to do', () => {
  const now = snapshotOf({
    atMs: AT,
    lastWalkAtMs: AT,
    lastSuccessAtMs: AT - 6 * MINUTE,
    oldestUnprovedAgeMs: 6 * MINUTE,
    backlog: { files: 40, bytes: 4_000 },
    failing: new Map([['denied', 40]]),
    store: {
      ok: false,
      fault: 'denied',
      message: 'PutObject s3://b/k was refused: AccessDenied.',
      sinceMs: AT - 6 * MINUTE,
    },
    disk: { ...DISK, fullInMs: 6 * 60 * MINUTE },
  });
  const { title, tone, remedy } = headline(now);
  assert.equal(title, 'Stuck: the store refuses the role since 09:14 UTC (AccessDenied), disk full in 6h');
  assert.equal(tone, 'bad');
  assert.match(remedy ?? '', /s3:PutObject/);
});

test('a disk that is nearly full warns while files still flow', () => {
  const flowing = { atMs: AT, lastWalkAtMs: AT, lastArrivalAtMs: AT, lastSuccessAtMs: AT, settling: 1 };
  const high = headline(snapshotOf({ ...flowing, disk: { ...DISK, level: 'high' } }));
  assert.deepEqual([high.title, high.tone], ['Flowing: the disk is near its limit', 'warn']);
  const full = headline(snapshotOf({ ...flowing, disk: { ...DISK, usedBytes: 100, level: 'critical' } }));
  assert.deepEqual([full.title, full.tone], ['Flowing: the disk is full', 'bad']);
});
