// What the kernel tells of is told on once, and a flood of it is left to the walk.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHints, type Hints } from '../../app/files/hints.ts';
import { toBytePath } from '../../app/files/paths.ts';
import { createRig } from '../support/mover-rig.ts';
import { tempDir, until } from '../support/temp.ts';

/** Gathers until it holds what is waited for. */
async function told(hints: Hints, ...wanted: string[]): Promise<Set<string>> {
  const all = new Set<string>();
  await until(
    () => {
      for (const path of hints.take()) all.add(path);
      return wanted.every((path) => all.has(path));
    },
    `${wanted.join(', ')} are told of`,
  );
  return all;
}

test('new, renamed and deleted names of watched directories are told, whatever their bytes', async (t) => {
  const directory = await tempDir(t);
  mkdirSync(join(directory, 'day'));
  const hints = createHints(toBytePath(directory));
  t.after(() => hints.close());
  assert.deepEqual([hints.near(''), hints.near('day'), hints.near('day')], [true, true, false]);
  assert.equal(hints.near('no such directory'), false);
  writeFileSync(join(directory, 'plain'), '1');
  writeFileSync(Buffer.from(`${toBytePath(directory)}/day/not utf-8 \xff`, 'latin1'), '2');
  writeFileSync(join(directory, 'ä.tmp'), '3');
  renameSync(join(directory, 'ä.tmp'), join(directory, 'ä'));
  await told(hints, 'plain', 'day/not utf-8 \xff', toBytePath('ä'));
  rmSync(join(directory, 'plain'));
  await told(hints, 'plain');
  assert.deepEqual(hints.take(), []);
});

test('a flood ends the watching until somebody asks for it again, and after the end nothing is watched', async (t) => {
  const directory = await tempDir(t);
  const hints = createHints(toBytePath(directory), 20);
  hints.near('');
  for (let number = 0; number < 100; number += 1) writeFileSync(join(directory, `burst-${number}`), 'x');
  hints.brought();
  await told(hints, 'burst-0');
  assert.equal(hints.served(), false, 'what came after the flood began is told of by nobody');
  await until(() => hints.near(''), 'it is watched anew');
  writeFileSync(join(directory, 'after'), 'x');
  await told(hints, 'after');
  hints.close();
  assert.equal(hints.near(''), false);
});

test('of many directories the ones with the latest arrivals are watched', async (t) => {
  const directory = await tempDir(t);
  const hints = createHints(toBytePath(directory));
  t.after(() => hints.close());
  const names = Array.from({ length: 40 }, (_, number) => `d${number}`);
  for (const name of names) {
    mkdirSync(join(directory, name));
    assert.equal(hints.near(name), true);
  }
  assert.equal(hints.near('d39'), false);
  assert.equal(hints.near('d0'), true, 'it had to go for the others');
});

test('hints serve while they bring files and no walk meets one first; each answer counts from the last', async (t) => {
  const hints = createHints(toBytePath(await tempDir(t)));
  t.after(() => hints.close());
  assert.equal(hints.served(), false, 'nothing came: nobody knows');
  hints.brought();
  assert.equal(hints.served(), true);
  assert.equal(hints.served(), false);
  hints.brought();
  hints.missed();
  assert.equal(hints.served(), false);
  hints.brought();
  assert.equal(hints.served(), true);
});

test('between two walks that are an hour apart, new files land within seconds: in known and in new directories', async (t) => {
  const rig = await createRig(t, { settings: { keep: true, walkEveryMs: 3_600_000 } });
  rig.write('known/first');
  const mover = await rig.start();
  await until(() => rig.server.objects.has('known/first'), 'the walk found the first file');
  await until(() => mover.snapshot().total.walks >= 1, 'the walk ended');
  const walks = mover.snapshot().total.walks;
  rig.write('known/second');
  rig.write('top');
  rig.write('new/deep/third');
  for (const key of ['known/second', 'top', 'new/deep/third'])
    await until(() => rig.server.objects.has(key), `${key} is there`);
  assert.equal(mover.snapshot().total.walks, walks);
});

test('on a share that tells of nothing the walk finds every file', async (t) => {
  const rig = await createRig(t, { hints: false, settings: { keep: true, walkEveryMs: 50 } });
  await rig.start();
  rig.write('known/first');
  await until(() => rig.server.objects.has('known/first'), 'the first is there');
  rig.write('known/second');
  rig.write('new/deep/third');
  for (const key of ['known/second', 'new/deep/third'])
    await until(() => rig.server.objects.has(key), `${key} is there`);
});
