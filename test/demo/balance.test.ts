import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Balance, balance, exitOf, formatBalance } from '../../app/demo/balance.ts';

interface Scene {
  readonly written: Record<string, string>;
  readonly local?: Record<string, string>;
  readonly bucket?: Record<string, string>;
  readonly torn?: boolean;
}

async function balanceOf(t: TestContext, scene: Scene): Promise<Balance> {
  const root = mkdtempSync(join(tmpdir(), 'ferry-balance-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const lines = Object.entries(scene.written).map(([path, content]) =>
    JSON.stringify({
      path,
      size: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    }),
  );
  writeFileSync(
    join(root, 'written.jsonl'),
    lines.map((line) => `${line}\n`).join('') + (scene.torn ? '{"pa' : ''),
  );
  for (const [side, files] of [
    ['data', scene.local ?? {}],
    ['bucket', scene.bucket ?? {}],
  ] as const) {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, side, name)), { recursive: true });
      writeFileSync(join(root, side, name), content);
    }
  }
  return balance({
    manifest: join(root, 'written.jsonl'),
    dataDir: join(root, 'data'),
    bucketDir: join(root, 'bucket'),
  });
}

const HEALTHY: Scene = {
  written: { 'x/1.dat': 'one', 'x/2.dat': 'two', 'x/3.dat': 'three' },
  local: { 'x/2.dat': 'two', 'x/3.dat': 'three' },
  bucket: { 'dt=2026-11-20/hh=13/x/1.dat': 'one', 'dt=2026-11-20/hh=13/x/2.dat': 'two' },
};

test('a healthy demo balances: moved, kept on both sides, and still local', async (t) => {
  const result = await balanceOf(t, HEALTHY);
  assert.deepEqual(result, {
    written: 3,
    inBucket: 2,
    stillLocal: 1,
    both: 1,
    lost: [],
    twice: [],
    different: [],
    foreign: 0,
    damagedLines: 0,
  });
  assert.equal(exitOf(result), 'ok');
});

test('a file on neither side is lost, and fails the demo', async (t) => {
  const result = await balanceOf(t, { ...HEALTHY, local: { 'x/2.dat': 'two' } });
  assert.deepEqual(result.lost, ['x/3.dat']);
  assert.equal(result.written, result.inBucket + result.stillLocal + result.lost.length);
  assert.equal(exitOf(result), 'internal');
  assert.match(formatBalance(result), /\+ lost 1; 1 lost, 0 sent twice\n/);
  assert.match(formatBalance(result), / lost: x\/3\.dat\n/);
});

for (const second of ['dt=2026-11-20/hh=14/x/1.dat', `dt=2026-11-20/hh=13/x/1.dat~${'0a'.repeat(16)}`]) {
  test(`the same content under a second key is sent twice: ${second}`, async (t) => {
    const result = await balanceOf(t, { ...HEALTHY, bucket: { ...HEALTHY.bucket, [second]: 'one' } });
    assert.deepEqual(result.twice, ['x/1.dat']);
    assert.equal(result.inBucket, 2);
    assert.equal(exitOf(result), 'internal');
    assert.match(formatBalance(result), / sent twice: x\/1\.dat\n/);
  });
}

test('an object with other content is different, and does not count as the file', async (t) => {
  const bucket = { ...HEALTHY.bucket, 'dt=2026-11-20/hh=13/x/1.dat': 'eno' };
  const result = await balanceOf(t, { ...HEALTHY, bucket });
  assert.deepEqual(result.different, [
    { where: 'bucket', name: 'dt=2026-11-20/hh=13/x/1.dat', writtenBytes: 3, foundBytes: 3 },
  ]);
  assert.deepEqual(result.lost, ['x/1.dat']);
  assert.equal(exitOf(result), 'internal');
});

test('half an object is different even while the file is still local', async (t) => {
  const bucket = { ...HEALTHY.bucket, 'dt=2026-11-20/hh=13/x/3.dat': 'th' };
  const result = await balanceOf(t, { ...HEALTHY, bucket });
  assert.deepEqual(result.different, [
    { where: 'bucket', name: 'dt=2026-11-20/hh=13/x/3.dat', writtenBytes: 5, foundBytes: 2 },
  ]);
  assert.equal(result.stillLocal, 1);
  assert.match(formatBalance(result), /x\/3\.dat \(bucket, 2 bytes, written 5\)/);
});

test('other content under a key that avoided a taken one is different too', async (t) => {
  const key = `dt=2026-11-20/hh=13/x/1.dat~${'ab'.repeat(16)}-2`;
  const result = await balanceOf(t, { ...HEALTHY, bucket: { ...HEALTHY.bucket, [key]: 'draft' } });
  assert.deepEqual(
    result.different.map(({ name }) => name),
    [key],
  );
});

test('a local file that was changed behind our back is different', async (t) => {
  const result = await balanceOf(t, { ...HEALTHY, local: { ...HEALTHY.local, 'x/2.dat': 'TWO' } });
  assert.deepEqual(
    result.different.map(({ where, name }) => `${where} ${name}`),
    ['local x/2.dat'],
  );
});

test('a file set aside under another name is still local, not lost', async (t) => {
  const result = await balanceOf(t, { ...HEALTHY, local: { 'x/.ferry-aside.3.dat': 'three' } });
  assert.equal(result.stillLocal, 1);
  assert.deepEqual(result.lost, []);
});

test('what the manifest does not know is foreign and no defect, as is a line that a kill cut short', async (t) => {
  const local = { ...HEALTHY.local, 'x/unnoted.dat': 'half' };
  const result = await balanceOf(t, { ...HEALTHY, local, torn: true });
  assert.equal(result.foreign, 1);
  assert.equal(result.damagedLines, 1);
  assert.equal(exitOf(result), 'ok');
  assert.match(formatBalance(result), /not in the manifest +1 /);
});

test('what an unfinished put left in the bucket is no object', async (t) => {
  const bucket = { ...HEALTHY.bucket, '.ferry-tmp/host~1~2~3': 'three' };
  const result = await balanceOf(t, { ...HEALTHY, bucket });
  assert.equal(result.inBucket, 2);
  assert.equal(result.stillLocal, 1);
  assert.equal(result.foreign, 0);
});

test('files with the same content are each their own', async (t) => {
  const written = { 'a/1.dat': 'same', 'b/1.dat': 'same', 'c/2.dat': 'same' };
  const result = await balanceOf(t, { written, bucket: { 'k/a/1.dat': 'same', 'k/b/1.dat': 'same' } });
  assert.equal(result.inBucket, 2);
  assert.deepEqual(result.lost, ['c/2.dat']);
  assert.deepEqual(result.twice, []);
});

test('missing folders are empty ones', async (t) => {
  assert.equal((await balanceOf(t, { written: {} })).written, 0);
});

test('the balance reads as one equation and a table', () => {
  const many = Array.from({ length: 12 }, (_, index) => `f${index}`);
  const result: Balance = {
    written: 5_324,
    inBucket: 5_290,
    stillLocal: 22,
    both: 1_200,
    lost: many,
    twice: [],
    different: [],
    foreign: 0,
    damagedLines: 0,
  };
  assert.deepEqual(formatBalance(result).split('\n').slice(0, 9), [
    'written 5,324 = in the bucket 5,290 + still local only 22 + lost 12; 12 lost, 0 sent twice',
    '  written                 5,324  by the stand-in for the vendor',
    '  in the bucket           5,290  same content, 1,200 of them also kept locally',
    '  still local only           22  sent at the next start',
    '  lost                       12',
    '  sent twice                  0',
    '  other content               0',
    '  lost: f0',
    '  lost: f1',
  ]);
  assert.match(formatBalance(result), / lost: and 2 more\n$/);
});
