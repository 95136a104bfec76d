// The spill volume: when the disk is critical and nothing proved is left to free, the oldest files go there instead of
// the pod being evicted; they reach the bucket from there, once, under the keys they always had.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { filesSpec } from '../../app/files/settings.ts';
import { assertExactly, createRig, localHashes } from '../support/mover-rig.ts';
import { tempDir, until } from '../support/temp.ts';
import { tinyVolume } from '../support/tmpfs.ts';

const BLOCK = 4_096;
const LIMITED = {
  highWatermark: 0.7,
  lowWatermark: 0.6,
  criticalWatermark: 0.8,
  volumeLimitBytes: 100 * BLOCK,
  retentionMs: 3_600_000,
};
const name = (number: number): string => `shift/file-${String(number).padStart(4, '0')}`;

test('an outage longer than the disk: the oldest files spill over, and with S3 back all are in the bucket, each once', async (t) => {
  const rig = await createRig(t, { settings: { ...LIMITED, key: 'dt={date}/{path}' } });
  const spill = join(rig.directory, 'spill');
  const there = join(spill, 'files');
  const hashes: string[] = [];
  const agesMs = (number: number): number => (400 - number) * 86_400_000;
  for (let number = 0; number < 30; number += 1) hashes.push(rig.writeOld(name(number), agesMs(number)));
  const mover = await rig.start({ spill });
  await until(() => mover.snapshot().retained.files === 30, 'the first are proved and kept');
  const down = rig.server.faults.add({ when: () => true, do: { kind: 'reset' } });
  // Arrival counts, not age: each batch is on the disk before the next is written.
  for (const [from, to] of [
    [30, 90],
    [90, 150],
    [150, 210],
  ] as const) {
    for (let number = from; number < to; number += 1) hashes.push(rig.writeOld(name(number), agesMs(number)));
    await until(() => localHashes(rig.source).size < 75, 'there is room again', 30_000);
  }
  const moved = (): number => mover.snapshot().spill?.moved.files ?? 0;
  const still = (): boolean =>
    localHashes(there).size === moved() && localHashes(rig.source).size + moved() === 180;
  await until(still, 'each file is on one side');
  assert.equal(mover.snapshot().total.freed.files, 30);
  const [here, spilled] = [localHashes(rig.source), localHashes(there)];
  const newestThere = [...spilled.keys()].sort().at(-1) ?? '';
  const oldestHere = [...here.keys()].sort()[0] ?? '';
  assert.ok(newestThere !== '' && newestThere < oldestHere, `${newestThere} went, ${oldestHere} did not`);
  assert.ok(
    rig.lines.some(({ level, message }) => level === 'warn' && /went to the spill volume/.test(message)),
  );

  down.remove();
  await until(() => rig.server.objects.size === 210, 'all are in the bucket', 30_000);
  await until(() => localHashes(there).size === 0, 'the spill volume is empty again', 30_000);
  assert.equal(mover.snapshot().spill?.waiting.files, 0);
  assertExactly(rig.server, hashes);
  for (const key of rig.server.objects.keys()) {
    const [, number] = /file-(\d+)$/.exec(key) ?? [];
    const day = new Date(Date.now() - agesMs(Number(number)));
    const near = [-1, 0].map((days) => new Date(day.getTime() + days * 60_000).toISOString().slice(0, 10));
    assert.ok(
      near.some((date) => key.startsWith(`dt=${date}/shift/`)),
      key,
    );
  }
});

test('what is proved is freed and never spilled', async (t) => {
  const rig = await createRig(t, { settings: LIMITED });
  const mover = await rig.start({ spill: join(rig.directory, 'spill') });
  for (let number = 0; number < 60; number += 1) rig.write(name(number));
  await until(() => mover.snapshot().retained.files === 60, 'all are proved');
  for (let number = 60; number < 95; number += 1) rig.write(name(number));
  await until(() => mover.snapshot().total.freedEarly.files > 0, 'some are freed early');
  await until(() => mover.snapshot().total.proved.files === 95, 'the others are proved');
  assert.deepEqual(mover.snapshot().spill, {
    moved: { files: 0, bytes: 0 },
    waiting: { files: 0, bytes: 0 },
  });
});

test('a kill between the copy and the delete costs nothing: one object, and both sides are freed', async (t) => {
  const rig = await createRig(t);
  const spill = join(rig.directory, 'spill');
  const at = (path: string): string => join(spill, path);
  const hash = rig.writeOld('a/b', 60_000);
  const content = readFileSync(join(rig.source, 'a/b'));
  for (const path of ['files/a/b', 'unfinished/copy']) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), path === 'files/a/b' ? content : content.subarray(0, 3));
  }
  utimesSync(at('files/a/b'), 1_700_000_000, 1_700_000_000);
  await rig.start({ spill });
  await until(() => localHashes(rig.source).size + localHashes(spill).size === 0, 'both are freed');
  assertExactly(rig.server, [hash]);
});

test('a name that other content has on the spill volume is left to it', async (t) => {
  const rig = await createRig(t, { settings: LIMITED });
  const spill = join(rig.directory, 'spill');
  const mover = await rig.start({ spill });
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const down = rig.server.faults.add({ when: () => true, do: { kind: 'reset' } });
  mkdirSync(join(spill, 'files/shift'), { recursive: true });
  writeFileSync(join(spill, 'files', name(0)), 'earlier content');
  const hashes = Array.from({ length: 95 }, (_, number) => rig.writeOld(name(number), 60_000));
  await until(() => (mover.snapshot().spill?.moved.files ?? 0) > 0, 'some are spilled', 30_000);
  assert.equal(readFileSync(join(spill, 'files', name(0)), 'utf8'), 'earlier content');
  assert.ok(existsSync(join(rig.source, name(0))));
  down.remove();
  await until(() => rig.server.objects.size === 96, 'all are in the bucket', 30_000);
  const stored = new Set([...rig.server.objects.values()].map(({ sha256Hex }) => sha256Hex));
  assert.ok(hashes.every((hash) => stored.has(hash)));
});

test('a spill volume that is full is told, and every file is still on one side', async (t) => {
  const spill = tinyVolume(t, 64);
  if (spill === undefined) return t.skip('needs root to mount a tmpfs');
  const rig = await createRig(t, { settings: LIMITED });
  const mover = await rig.start({ spill });
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  rig.server.faults.add({ when: () => true, do: { kind: 'reset' } });
  const hashes = Array.from({ length: 95 }, (_, number) => rig.writeOld(name(number), 60_000));
  await until(
    () =>
      rig.lines.some(
        ({ level, message }) => level === 'error' && /takes no more files.*ENOSPC/.test(message),
      ),
    'it is told',
    30_000,
  );
  const both = [...localHashes(rig.source).values(), ...localHashes(join(spill, 'files')).values()];
  assert.deepEqual(new Set(both), new Set(hashes));
  assert.deepEqual(readdirSync(join(spill, 'unfinished')), []);
});

test('a spill directory that shares files with another one is refused; one that cannot be made, too', async (t) => {
  const directory = await tempDir(t);
  const flags = { source: '/data/in', to: 's3://bucket', state: '/state' };
  for (const spill of ['/data/in/spill', '/data', '/state'])
    assert.throws(
      () => loadSettings(filesSpec, { flags: new Map(Object.entries({ ...flags, spill })), env: {} }),
      /the spill directory shares its files/,
    );
  writeFileSync(join(directory, 'file'), '');
  const rig = await createRig(t);
  await assert.rejects(rig.start({ spill: join(directory, 'file') }), {
    message: /The spill directory .*file cannot be used: /,
  });
});
