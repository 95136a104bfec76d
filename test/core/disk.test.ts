import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  allocatedBytes,
  bytesToFree,
  createDiskMeter,
  type DiskReading,
  diskLevel,
  inodesToFree,
  readVolume,
  type VolumeStats,
} from '../../app/core/disk.ts';

const WATERMARKS = { lowWatermark: 0.7, highWatermark: 0.8, criticalWatermark: 0.95 };
const GI = 2 ** 30;
const MI = 2 ** 20;
const ROOMY: VolumeStats = {
  sizeBytes: 100 * GI,
  freeBytes: 60 * GI,
  availableBytes: 55 * GI,
  inodes: 1_000_000,
  freeInodes: 900_000,
};

function meter(options: { limitBytes?: number; volume?: VolumeStats }) {
  let nowMs = 1_000_000;
  const disk = createDiskMeter({
    limitBytes: options.limitBytes,
    directory: '/data',
    clock: { now: () => nowMs, sleep: async () => {} },
    watermarks: WATERMARKS,
    volume: () => options.volume ?? ROOMY,
  });
  return {
    disk,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

test('a file costs its blocks, not its size', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ferry-disk-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const sparse = join(directory, 'sparse');
  const handle = openSync(sparse, 'w');
  ftruncateSync(handle, 50_000_000);
  closeSync(handle);
  assert.ok(allocatedBytes(statSync(sparse)) < 1_000_000);
  writeFileSync(join(directory, 'small'), Buffer.alloc(1_000, 1));
  assert.equal(allocatedBytes({ blocks: 8 }), 4_096);
});

test('the real file system answers with sizes that fit together', () => {
  const volume = readVolume(tmpdir());
  assert.ok(volume.sizeBytes >= volume.freeBytes && volume.freeBytes >= volume.availableBytes);
  assert.ok(volume.inodes >= volume.freeInodes);
});

test('with a limit the source is measured against it', () => {
  const { disk } = meter({ limitBytes: 10 * GI });
  const reading = disk.record(4 * GI, 1_000);
  assert.equal(reading.usedBytes, 4 * GI);
  assert.equal(reading.limitBytes, 10 * GI);
  assert.equal(reading.usedInodes, 1_000);
  assert.equal(reading.limitInodes, 901_000);
  assert.equal(reading.level, 'ok');
});

test('a disk with less room than the limit promises is the limit', () => {
  const { disk } = meter({ limitBytes: 10 * GI, volume: { ...ROOMY, availableBytes: 0.5 * GI } });
  const reading = disk.record(4 * GI, 1_000);
  assert.equal(reading.limitBytes, 4.5 * GI);
  assert.equal(reading.level, 'high');
});

test('without a limit the whole file system is measured, reserved blocks left out', () => {
  const reading = meter({}).disk.record(1, 1);
  assert.equal(reading.usedBytes, 40 * GI);
  assert.equal(reading.limitBytes, 95 * GI);
  assert.equal(reading.usedInodes, 100_000);
  assert.equal(reading.limitInodes, 1_000_000);
});

test('a file system without an inode count never runs out of inodes', () => {
  const reading = meter({ limitBytes: GI, volume: { ...ROOMY, inodes: 0, freeInodes: 0 } }).disk.record(
    1,
    10,
  );
  assert.equal(reading.limitInodes, Infinity);
  assert.equal(reading.level, 'ok');
  assert.equal(inodesToFree({ ...reading, level: 'high' }, WATERMARKS), 0);
});

test('inodes alone raise the level', () => {
  const { disk } = meter({ limitBytes: 10 * GI, volume: { ...ROOMY, freeInodes: 100 } });
  const reading = disk.record(1, 900);
  assert.equal(reading.level, 'high');
  assert.equal(bytesToFree(reading, WATERMARKS), 0);
  assert.equal(inodesToFree(reading, WATERMARKS), 200);
});

test('a constant growth is read right from the second look on, and after a minute says when the volume is full', () => {
  const { disk, pass } = meter({ limitBytes: 10 * GI });
  assert.equal(disk.record(0, 0).growthBytesPerSecond, 0);
  let reading: DiskReading | undefined;
  for (let look = 1; look <= 6; look += 1) {
    assert.equal(reading?.fullInMs, undefined, 'less than a minute is a guess');
    pass(10_000);
    reading = disk.record(look * 10_000_000, look * 10);
    assert.ok(Math.abs(reading.growthBytesPerSecond - 1_000_000) < 1, String(reading.growthBytesPerSecond));
  }
  const expectedMs = (10 * GI - 60_000_000) / 1_000;
  assert.ok(Math.abs((reading?.fullInMs ?? 0) - expectedMs) < expectedMs * 0.001);
});

test('a burst that is over does not say that the volume is about to be full', () => {
  const { disk, pass } = meter({ limitBytes: 256 * MI });
  disk.record(0, 0);
  pass(5_000);
  disk.record(64 * MI, 5_000);
  let reading: DiskReading | undefined;
  for (let second = 10; second <= 120; second += 5) {
    pass(5_000);
    reading = disk.record(64 * MI + second * 51_200, 5_000 + second);
  }
  const trueMs = ((256 - 70) * MI) / 51.2;
  assert.ok((reading?.fullInMs ?? Infinity) > trueMs / 2, String(reading?.fullInMs));
});

test('inodes that run out first say when', () => {
  const { disk, pass } = meter({ limitBytes: 10 * GI, volume: { ...ROOMY, freeInodes: 600 } });
  disk.record(0, 0);
  pass(60_000);
  const reading = disk.record(600, 600);
  assert.ok(Math.abs((reading.fullInMs ?? 0) - 60_000) < 1, String(reading.fullInMs));
});

test('a volume that shrinks or stands still has no time to full', () => {
  const { disk, pass } = meter({ limitBytes: 10 * GI });
  disk.record(5_000_000, 10);
  pass(10_000);
  const reading = disk.record(1_000_000, 5);
  assert.ok(reading.growthBytesPerSecond < 0);
  assert.equal(reading.fullInMs, undefined);
});

test('a clock that steps back does not invent growth', () => {
  const { disk, pass } = meter({ limitBytes: 10 * GI });
  disk.record(0, 0);
  pass(10_000);
  const before = disk.record(1_000, 1).growthBytesPerSecond;
  pass(-3_600_000);
  assert.equal(disk.record(2_000, 2).growthBytesPerSecond, before);
});

test('freeing starts at the high watermark and goes on to the low one', () => {
  assert.equal(diskLevel(0.79, WATERMARKS, 'ok'), 'ok');
  assert.equal(diskLevel(0.8, WATERMARKS, 'ok'), 'high');
  assert.equal(diskLevel(0.75, WATERMARKS, 'high'), 'high');
  assert.equal(diskLevel(0.75, WATERMARKS, 'critical'), 'high');
  assert.equal(diskLevel(0.7, WATERMARKS, 'high'), 'ok');
  assert.equal(diskLevel(0.95, WATERMARKS, 'ok'), 'critical');
  const { disk } = meter({ limitBytes: 1_000 });
  const high = disk.record(850, 1);
  assert.equal(bytesToFree(high, WATERMARKS), 150);
  const partly = disk.record(760, 1);
  assert.equal(partly.level, 'high');
  assert.equal(bytesToFree(partly, WATERMARKS), 60);
  const done = disk.record(700, 1);
  assert.equal(done.level, 'ok');
  assert.equal(bytesToFree(done, WATERMARKS), 0);
});

test('a volume over its limit is full now', () => {
  const reading = meter({ limitBytes: 1_000 }).disk.record(1_200, 1);
  assert.equal(reading.level, 'critical');
  assert.equal(reading.fullInMs, 0);
});

test('a disk that others have filled is critical though the source holds nothing', () => {
  const { disk } = meter({ limitBytes: GI, volume: { ...ROOMY, availableBytes: 0 } });
  assert.equal(disk.record(0, 0).level, 'critical');
});

test('a directory that is gone is an error with a remedy', () => {
  const disk = createDiskMeter({
    limitBytes: undefined,
    directory: '/no/such/directory',
    clock: { now: () => 0, sleep: async () => {} },
    watermarks: WATERMARKS,
  });
  assert.throws(() => disk.record(0, 0), { name: 'FerryError', exit: 'source', message: /ENOENT/ });
});
