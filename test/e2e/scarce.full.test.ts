// What runs out on a machine: descriptors, names under one's feet, and room on each of the three volumes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { credentialsOf, spawnFerry, toServer } from '../support/ferry-child.ts';
import {
  assertExactly,
  createRig,
  isEmptied,
  localHashes,
  lost,
  objectsByContent,
  sha256,
} from '../support/mover-rig.ts';
import { until } from '../support/temp.ts';
import { tinyVolume } from '../support/tmpfs.ts';

const SHORT = ['--key', '{path}', '--settle', '100ms', '--retention', '0', '--walk-every', '50ms'];
const OFTEN = ['--prove-every', '200ms', '--walk-cpu-share', '1'];

test('with few descriptors files wait and are tried again; all land', async (t) => {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
  } catch {
    return t.skip('needs prlimit');
  }
  const rig = await createRig(t);
  const hashes = Array.from({ length: 300 }, (_, number) => rig.write(`a/b/c/d${number % 9}/file-${number}`));
  const words = ['files', '--source', rig.source, '--state', rig.state, ...SHORT, ...OFTEN];
  // Node itself holds 20 to 23 descriptors, more while it loads; connections and directories want the rest.
  const run = spawnFerry(t, [...words, ...toServer(rig.server)], {
    env: credentialsOf(rig.server),
    wrapper: ['prlimit', '--nofile=38'],
  });
  const ended = run.ended.then(({ exit, stderr }) =>
    assert.fail(`it ended (${exit}): ${stderr.slice(0, 300)}`),
  );
  await Promise.race([ended, until(() => isEmptied(rig.source), 'all are moved', 120_000)]);
  ended.catch(() => {});
  assertExactly(rig.server, hashes);
  assert.match(run.stdout(), /only \d+ uploads at once instead of 16: this process may open \d+ files more/);
});

test('files that vanish while they are found are no failure', async (t) => {
  const rig = await createRig(t, { settings: { settleMs: 0 } });
  const mover = await rig.start();
  const endMs = performance.now() + 2_000;
  let number = 0;
  await until(() => {
    for (let count = 0; count < 50; count += 1) {
      number += 1;
      rig.write(`storm/file-${number}`);
      if (number % 5 !== 0) rmSync(join(rig.source, `storm/file-${number - (number % 3)}`), { force: true });
    }
    return performance.now() > endMs;
  }, 'the storm is over');
  const left = localHashes(rig.source);
  await until(() => isEmptied(rig.source), 'what is left is moved', 60_000);
  assert.deepEqual([...mover.snapshot().failing], []);
  assert.deepEqual([...mover.snapshot().total.failures], []);
  const stored = objectsByContent(rig.server);
  assert.ok([...left.values()].every((hash) => stored.has(hash)));
});

test('the ledger’s volume is full: it is said, nothing is lost, and with room everything goes on', async (t) => {
  const state = tinyVolume(t, 2_400);
  if (state === undefined) return t.skip('needs root to mount tmpfs');
  const rig = await createRig(t, { settings: { state, keep: true } });
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const filler = join(state, 'filler');
  fill(filler);
  const hashes = Array.from({ length: 12_000 }, (_, number) => rig.write(`d${number % 20}/file-${number}`));
  const isSaid = (): boolean =>
    rig.lines.some(({ message }) => message.includes('the ledger cannot be written'));
  await until(isSaid, 'it is said', 60_000);
  assert.deepEqual(lost(rig.server, rig.source, hashes), []);
  rmSync(filler);
  execFileSync('mount', ['-o', 'remount,size=64m', state]);
  await until(() => mover.snapshot().total.proved.files >= 12_000, 'with room all are moved', 240_000);
  assertExactly(rig.server, hashes);
  const { seen, proved } = mover.snapshot().total;
  assert.deepEqual([seen.files, proved.files], [12_000, 12_000], 'each was seen and proved once');
});

test('the folder that stands in for a bucket is full: nothing is freed unproved, and with room everything goes on', async (t) => {
  const bucket = tinyVolume(t, 512);
  if (bucket === undefined) return t.skip('needs root to mount tmpfs');
  const rig = await createRig(t);
  const contents = Array.from({ length: 300 }, (_, number) => `${number}`.padEnd(4_000, 'f'));
  for (const [number, content] of contents.entries()) rig.write(`file-${number}`, content);
  const words = ['files', '--source', rig.source, '--state', rig.state, '--to', bucket, ...SHORT, ...OFTEN];
  const run = spawnFerry(t, words);
  await until(() => /no-space|no space|ENOSPC|full/i.test(run.stdout()), 'it is said', 60_000);
  // Local first: a file that is moved meanwhile is then found in the bucket.
  const both = new Set([...localHashes(rig.source).values(), ...localHashes(bucket).values()]);
  assert.ok(contents.every((content) => both.has(sha256(content))));
  execFileSync('mount', ['-o', 'remount,size=64m', bucket]);
  await until(() => isEmptied(rig.source), 'with room all are moved', 120_000);
  const stored = new Set(localHashes(bucket).values());
  assert.ok(contents.every((content) => stored.has(sha256(content))));
});

test('the source’s volume is full: files are moved all the same, and moving makes the room', async (t) => {
  const source = tinyVolume(t, 512);
  if (source === undefined) return t.skip('needs root to mount tmpfs');
  const rig = await createRig(t, { settings: { source } });
  const hashes: string[] = [];
  for (let number = 0; ; number += 1) {
    const path = join(source, `file-${number}`);
    const content = `${number}`.padEnd(4_000, 's');
    try {
      writeFileSync(path, content);
      hashes.push(sha256(content));
    } catch {
      rmSync(path, { force: true });
      break;
    }
  }
  const mover = await rig.start();
  await until(() => mover.snapshot().total.freed.files >= hashes.length, 'all are moved', 60_000);
  assertExactly(rig.server, hashes);
  writeFileSync(join(source, 'after'), 'there is room again');
  await until(() => !existsSync(join(source, 'after')), 'and the next one goes too');
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(4_096), { flag: 'a' });
  } catch {
    // Full: that was the aim.
  }
}
