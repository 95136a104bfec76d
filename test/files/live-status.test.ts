import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStatus, statusLines } from '../../app/files/live-status.ts';
import type { FilesSnapshot } from '../../app/files/snapshot.ts';

const tally = (files: number, bytes = files * 1_024) => ({ files, bytes });

const BEFORE: FilesSnapshot = {
  atMs: 1_000_000,
  startedAtMs: 900_000,
  total: {
    seen: tally(5_000),
    sent: tally(4_000),
    deduplicated: tally(3),
    proved: tally(3_000),
    freed: tally(0),
    freedEarly: tally(0),
    conflicts: 0,
    vanishedObjects: 0,
    failures: new Map(),
    walks: 1,
    listings: 1,
    listingFallbacks: 0,
    listingFailures: 0,
    receiptObjects: 0,
    receiptLinesLost: 0,
  },
  backlog: tally(1),
  settling: 0,
  unproved: tally(0),
  retained: tally(0),
  failing: new Map(),
  skipped: new Map(),
  oldestUnprovedAgeMs: 2_300,
  lastSuccessAtMs: 1_000_000,
  lastWalkAtMs: 1_000_000,
  lastArrivalAtMs: 1_000_000,
  store: { ok: true, sinceMs: 900_000 },
  disk: undefined,
  inFlight: 0,
  draining: false,
};

const NOW: FilesSnapshot = {
  ...BEFORE,
  atMs: 1_005_000,
  total: {
    ...BEFORE.total,
    seen: tally(5_060),
    sent: tally(5_020),
    proved: tally(4_900),
    freed: tally(1_200),
  },
  backlog: tally(22),
  settling: 13,
  unproved: tally(120),
  retained: tally(3_700),
  disk: {
    usedBytes: 63 * 2 ** 20,
    limitBytes: 256 * 2 ** 20,
    usedInodes: 5_000,
    limitInodes: 100_000,
    growthBytesPerSecond: 26_000,
    fullInMs: 7_500_000,
    level: 'ok',
  },
};

const VERDICT = 'verdict  flowing: Files are moving: 22 files wait to be sent and 120 files wait~';

const TWO_FACTS = [
  VERDICT,
  'in       12.0 files/s, 12.0 KiB/s          5,060 seen, 13 may still grow',
  'out      204 files/s, 204.0 KiB/s          5,020 sent, 3 already there',
  'backlog  22 files, 22.0 KiB                oldest unproved 2s',
  'proved   4,900 files                       120 sent and not yet proved',
  'freed    1,200 files, 1.17 MiB             3,700 kept for the operators',
  'disk     [###.............] 24%            full in 2h 5m, 63.0 MiB of 256.0 MiB',
  'error    none',
];

for (const width of [80, 120]) {
  test(`at ${width} columns a line holds two facts`, () => {
    const [first, ...facts] = renderStatus(NOW, BEFORE, width);
    assert.deepEqual(facts, TWO_FACTS.slice(1));
    assert.ok(first?.startsWith(VERDICT.slice(0, -1)));
  });
}

test('at 40 columns each fact has its line', () => {
  assert.deepEqual(renderStatus(NOW, BEFORE, 40), [
    'verdict  flowing: Files are moving: 22 ~',
    'in       12.0 files/s, 12.0 KiB/s',
    '         5,060 seen, 13 may still grow',
    'out      204 files/s, 204.0 KiB/s',
    '         5,020 sent, 3 already there',
    'backlog  22 files, 22.0 KiB',
    '         oldest unproved 2s',
    'proved   4,900 files',
    '         120 sent and not yet proved',
    'freed    1,200 files, 1.17 MiB',
    '         3,700 kept for the operators',
    'disk     [###.............] 24%',
    '         full in 2h 5m, 63.0 MiB of 256~',
    'error    none',
  ]);
});

test('no line is longer than the terminal is wide, down to one column', () => {
  const long: FilesSnapshot = {
    ...NOW,
    store: { ok: false, fault: 'denied', message: 'x'.repeat(500), sinceMs: 1 },
    failing: new Map([['denied', 12]]),
  };
  for (let width = 1; width <= 130; width += 1) {
    for (const line of renderStatus(long, BEFORE, width))
      assert.ok(line.length <= width, `${width}: ${line}`);
  }
});

test('before there are two snapshots the rates are unknown, not zero', () => {
  const [, first] = renderStatus(NOW, undefined, 80);
  assert.equal(first, 'in       -                                 5,060 seen, 13 may still grow');
  assert.equal(renderStatus(NOW, NOW, 80)[1], first);
});

test('a disk near its limit says so, and a full bar means a full disk', () => {
  const at = (usedMiB: number, level: 'ok' | 'high' | 'critical') => {
    const disk = { ...(NOW.disk ?? assert.fail()), usedBytes: usedMiB * 2 ** 20, level, fullInMs: undefined };
    return renderStatus({ ...NOW, disk }, BEFORE, 80)[6];
  };
  assert.equal(at(0, 'ok'), 'disk     [................] 0%             not filling, 0 B of 256.0 MiB');
  assert.equal(
    at(250, 'critical'),
    'disk     [###############.] 97%, critical  not filling, 250.0 MiB of 256.0 MiB',
  );
  assert.equal(
    at(300, 'critical'),
    'disk     [################] 117%, critical not filling, 300.0 MiB of 256.0 MiB',
  );
});

test('what the store said is shown with its age, on one line, without its escape codes', () => {
  const store = { ok: false, fault: 'denied', message: 'Access\n\u001b[31mDenied\u0007.', sinceMs: 993_000 };
  const lines = renderStatus(
    {
      ...NOW,
      store,
      failing: new Map([
        ['denied', 12],
        ['changed', 1],
      ]),
    },
    BEFORE,
    80,
  );
  assert.deepEqual(lines.slice(-2), [
    'error    for 12s: Access Denied .',
    'error    not sent yet: 12 denied, 1 changed',
  ]);
});

test('tones are about how a line looks: its text is the same', () => {
  const texts = statusLines(NOW, BEFORE, 80).map((line) => line.map(([text]) => text).join(''));
  assert.deepEqual(texts, TWO_FACTS);
});
