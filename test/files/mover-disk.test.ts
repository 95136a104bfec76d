// A volume near its limit: the oldest proved files go before their time, down to the low watermark, never an unproved one.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { verdict } from '../../app/files/summary.ts';
import { createRig, localHashes, lost } from '../support/mover-rig.ts';
import { DENIED } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

const BLOCK = 4_096;
const WATERMARKS = { highWatermark: 0.85, lowWatermark: 0.75, criticalWatermark: 0.95 };
const LIMITED = { ...WATERMARKS, volumeLimitBytes: 100 * BLOCK, retentionMs: 3_600_000 };
const name = (number: number): string => `file-${String(number).padStart(4, '0')}`;

test('near the limit the oldest proved files are freed before their time, down to the low watermark', async (t) => {
  const rig = await createRig(t, { settings: LIMITED });
  const hashes: string[] = [];
  for (let number = 0; number < 60; number += 1) hashes.push(rig.write(name(number)));
  const mover = await rig.start();
  await until(() => mover.snapshot().retained.files === 60, 'all are proved and kept');
  assert.equal(mover.snapshot().disk?.level, 'ok');
  assert.equal(mover.snapshot().disk?.limitBytes, 100 * BLOCK);
  for (let number = 60; number < 90; number += 1) hashes.push(rig.write(name(number)));
  await until(() => mover.snapshot().total.freedEarly.files > 0, 'some are freed early');
  await until(() => mover.snapshot().disk?.level === 'ok', 'the level is well again');
  const { total, disk } = mover.snapshot();
  assert.ok((disk?.usedBytes ?? 0) <= 0.75 * 100 * BLOCK, `${disk?.usedBytes} bytes are used`);
  assert.ok(total.freedEarly.files >= 15 && total.freedEarly.files <= 25, `${total.freedEarly.files} freed`);
  assert.equal(total.freed.files, total.freedEarly.files);
  for (let number = 0; number < 90; number += 1) {
    const isThere = existsSync(join(rig.source, name(number)));
    assert.equal(isThere, number >= total.freedEarly.files, `${name(number)}: the oldest go first`);
  }
  assert.deepEqual(lost(rig.server, rig.source, hashes), []);
});

test('a full volume whose files cannot be proved frees nothing, and says so', async (t) => {
  const rig = await createRig(t, { settings: LIMITED });
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const denied = rig.server.faults.add({ when: ({ op }) => op === 'ListObjectsV2', do: DENIED });
  for (let number = 0; number < 98; number += 1) rig.write(name(number));
  await until(() => mover.snapshot().disk?.level === 'critical', 'the disk is critical');
  await until(() => mover.snapshot().total.sent.files === 98, 'all are sent');
  await until(() => denied.hits() >= 4, 'proofs were tried');
  assert.equal(localHashes(rig.source).size, 98);
  assert.equal(mover.snapshot().total.freed.files, 0);
  assert.equal(mover.snapshot().total.proved.files, 0);
  denied.remove();
  await until(() => mover.snapshot().disk?.level === 'ok', 'once proved, room is made', 30_000);
  assert.ok(mover.snapshot().total.freedEarly.files >= 20);
  // What the refused listing keeps from its work is told as well.
  const alarms = rig.lines.filter(({ message }) => message.includes(' is nearly full: '));
  assert.equal(alarms.length, 1, 'told at once, without a summary, and once');
  assert.equal(alarms[0]?.level, 'error');
  assert.match(String(alarms[0]?.message), /disk 3\d\d\.\d KiB of 400\.0 KiB .*\(critical\)/);
});

test('growth is told; the time until the volume is full is not guessed from a moment', async (t) => {
  const rig = await createRig(t, { settings: { ...LIMITED, volumeLimitBytes: 10_000 * BLOCK } });
  const mover = await rig.start();
  await until(() => mover.snapshot().disk !== undefined, 'the disk was looked at');
  assert.equal(mover.snapshot().disk?.fullInMs, undefined);
  for (let number = 0; number < 50; number += 1) rig.write(name(number));
  await until(() => (mover.snapshot().disk?.growthBytesPerSecond ?? 0) > 0, 'it grows');
  const { disk } = mover.snapshot();
  assert.equal(disk?.fullInMs, undefined);
  assert.equal(disk?.level, 'ok');
  assert.notEqual(verdict(mover.snapshot()).verdict, 'stuck');
});

test('with --keep a full volume is told, and nothing is freed', async (t) => {
  const rig = await createRig(t, { settings: { ...LIMITED, keep: true } });
  for (let number = 0; number < 98; number += 1) rig.write(name(number));
  const mover = await rig.start();
  await until(() => mover.snapshot().disk?.level === 'critical', 'the disk is critical');
  await until(() => mover.snapshot().total.proved.files === 98, 'all are proved');
  assert.equal(localHashes(rig.source).size, 98);
});

test('after a restart rows of an earlier run free no room before they are hashed and listed again', async (t) => {
  const rig = await createRig(t, { settings: LIMITED });
  const hashes = Array.from({ length: 80 }, (_, number) => rig.write(name(number)));
  await rig.once();
  assert.equal(localHashes(rig.source).size, 80);
  rig.server.remove(name(0));
  for (let number = 80; number < 95; number += 1) hashes.push(rig.write(name(number)));
  const mover = await rig.start();
  await until(() => mover.snapshot().total.freedEarly.files >= 10, 'room is made');
  await until(() => mover.snapshot().disk?.level === 'ok', 'the level is well again');
  assert.deepEqual(lost(rig.server, rig.source, hashes), []);
});
