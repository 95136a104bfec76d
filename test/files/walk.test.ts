// A pass over the tree tells the truth: every file is met, nothing else is opened, and what could not be read is said.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { toBytePath, toSystemPath } from '../../app/files/paths.ts';
import {
  type FoundFile,
  lookAgain,
  startWalk,
  type WalkOptions,
  type WalkReport,
} from '../../app/files/walk.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp.ts';
import { isRoot, openToAll, runChild } from './child.ts';

async function walkAll(
  directory: string,
  more: Partial<WalkOptions> = {},
  onBatch: (batch: FoundFile[]) => void = () => {},
): Promise<{ report: WalkReport; paths: string[]; files: FoundFile[] }> {
  const clock = createFakeClock({ runsAlong: true });
  const { signal } = new AbortController();
  const root = toBytePath(directory);
  const walk = startWalk({ root, clock, cpuShare: 1, signal, onAside: () => {}, ...more });
  const files: FoundFile[] = [];
  for await (const batch of walk.batches) {
    files.push(...batch);
    onBatch(batch);
  }
  return { report: walk.report, paths: files.map(({ path }) => path).sort(), files };
}

/** Makes the files (bytes as latin1) and their directories. */
function make(directory: string, paths: readonly string[]): void {
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (slash > 0)
      mkdirSync(Buffer.from(`${toBytePath(directory)}/${path.slice(0, slash)}`, 'latin1'), {
        recursive: true,
      });
    writeFileSync(Buffer.from(`${toBytePath(directory)}/${path}`, 'latin1'), `content of ${path}`);
  }
}

/** Allocated bytes and entries below a directory, counted the slow way. */
function count(path: Buffer): { usedBytes: number; usedInodes: number } {
  const total = { usedBytes: 0, usedInodes: 0 };
  for (const name of readdirSync(path, { encoding: 'buffer' })) {
    const below = Buffer.concat([path, Buffer.from('/'), name]);
    const stat = lstatSync(below);
    total.usedBytes += stat.blocks * 512;
    total.usedInodes += 1;
    if (!stat.isDirectory()) continue;
    const inner = count(below);
    total.usedBytes += inner.usedBytes;
    total.usedInodes += inner.usedInodes;
  }
  return total;
}

const NAMES = [
  'plain.txt',
  'sub/dir/deep.txt',
  'with space/ and more ',
  'a+b%20c&d',
  'new\nline\ttab',
  '-rf',
  '*?[x]',
  'back\\slash',
  '"quoted\' name"',
  toBytePath('emoji 🚢'),
  toBytePath('日本/語.json'),
  'not utf-8 \xff\xfe',
  'dir \x80/file \xc3',
  'n'.repeat(255),
  '.hidden',
  'empty/.keep',
];

test('files of every name are met with their state, and the tree is counted as du does', async (t) => {
  const directory = await tempDir(t);
  make(directory, NAMES);
  writeFileSync(join(directory, 'large'), Buffer.alloc(1_000_000, 1));
  mkdirSync(join(directory, 'nothing in here'));
  const { report, paths, files } = await walkAll(directory);
  assert.deepEqual(paths, [...NAMES, 'large'].sort());
  assert.equal(report.complete, true);
  assert.equal(report.files, NAMES.length + 1);
  const { usedBytes, usedInodes } = count(Buffer.from(directory));
  assert.deepEqual([report.usedBytes, report.usedInodes], [usedBytes, usedInodes]);
  for (const { path, stat } of files) {
    assert.deepEqual(lookAgain(toBytePath(directory), path), stat);
    const { size, ino } = lstatSync(toSystemPath(`${toBytePath(directory)}/${path}`));
    assert.deepEqual([stat.size, stat.ino], [size, ino]);
  }
});

test('a tree of 200 levels is walked to its end', async (t) => {
  const directory = await tempDir(t);
  const path = `${'d/'.repeat(200)}file`;
  make(directory, [path]);
  const { report, paths } = await walkAll(directory);
  assert.deepEqual(paths, [path]);
  assert.equal(report.complete, true);
});

test('a source whose own path is not ASCII is walked', async (t) => {
  const directory = join(await tempDir(t), 'Ünïcode 🚢');
  mkdirSync(directory);
  make(directory, ['a', toBytePath('ä')]);
  assert.deepEqual((await walkAll(directory)).paths, ['a', toBytePath('ä')].sort());
});

test('links, pipes, sockets and devices are counted by kind and never opened', async (t) => {
  const directory = await tempDir(t);
  make(directory, ['real/file']);
  symlinkSync('real/file', join(directory, 'link to file'));
  symlinkSync('real', join(directory, 'link to directory'));
  symlinkSync('.', join(directory, 'loop'));
  symlinkSync('nowhere', join(directory, 'dangling'));
  assert.equal(spawnSync('mkfifo', [join(directory, 'pipe')]).status, 0);
  const server = createServer().listen(join(directory, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const madeDevice = spawnSync('mknod', [join(directory, 'device'), 'c', '1', '3']).status === 0;
  const { report, paths } = await walkAll(directory);
  assert.deepEqual(paths, ['real/file']);
  assert.equal(report.complete, true);
  const expected = { symlink: 4, fifo: 1, socket: 1, ...(madeDevice ? { device: 1 } : {}) };
  assert.deepEqual(Object.fromEntries(report.skipped), expected);
  if (!madeDevice) t.diagnostic('without a device: mknod is not allowed here');
});

test('an excluded directory is left alone with all below it', async (t) => {
  const directory = await tempDir(t);
  make(directory, ['a', 'out/b', 'out/deep/c']);
  const { paths, report } = await walkAll(directory, { isExcluded: (path) => path === 'out' });
  assert.deepEqual(paths, ['a']);
  assert.equal(report.skipped.get('excluded'), 1);
  assert.equal(report.complete, true);
});

test('a file that waits aside is handed over, not taken for a file', async (t) => {
  const directory = await tempDir(t);
  make(directory, ['sub/.ferry-aside.name', 'other']);
  const asides: string[][] = [];
  const { paths } = await walkAll(directory, { onAside: (path, original) => asides.push([path, original]) });
  assert.deepEqual(asides, [['sub/.ferry-aside.name', 'sub/name']]);
  assert.deepEqual(paths, ['other']);
});

const walkAfter = (before: string): string => `
  const { startWalk } = await import(app('files/walk.ts'));
  const { systemClock } = await import(app('core/clock.ts'));
  ${before}
  const paths = [];
  const signal = new AbortController().signal;
  const walk = startWalk({ root: args[0], clock: systemClock, cpuShare: 1, signal, onAside() {} });
  for await (const batch of walk.batches) paths.push(...batch.map((file) => file.path));
  const { complete, problems, skipped } = walk.report;
  console.log(JSON.stringify({ paths: paths.sort(), complete, problems, skipped: [...skipped] }));
`;

interface ChildWalk {
  readonly paths: string[];
  readonly complete: boolean;
  readonly problems: string[];
  readonly skipped: [string, number][];
}

function walkInChild(directory: string, options: Parameters<typeof runChild>[2], before = ''): ChildWalk {
  const { stdout, stderr, exit } = runChild(walkAfter(before), [directory], options);
  assert.equal(exit, 0, stderr.slice(0, 500));
  return JSON.parse(stdout);
}

test('a directory that may not be read is named, the pass is incomplete, the rest is met', async (t) => {
  const directory = await tempDir(t);
  openToAll(directory);
  make(directory, ['before', 'closed/hidden', 'unlistable names/x', 'z/after']);
  chmodSync(join(directory, 'closed'), 0o000);
  chmodSync(join(directory, 'unlistable names'), 0o744);
  const { paths, complete, problems, skipped } = walkInChild(directory, { plain: true });
  for (const name of ['closed', 'unlistable names']) chmodSync(join(directory, name), 0o755);
  assert.deepEqual(paths, isRoot ? ['before', 'z/after'] : ['before', 'unlistable names/x', 'z/after']);
  assert.equal(complete, false);
  assert.ok(problems.some((sentence) => sentence.includes('"closed"')));
  assert.deepEqual(skipped, [['unreadable-directory', 1]]);
});

/** Opens files until nothing more can be, but for so many. */
const takeDescriptors = (left: number): string => `
  const { openSync, closeSync } = await import('node:fs');
  const taken = [];
  try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
  for (const descriptor of taken.splice(0, ${left})) closeSync(descriptor);
`;

test('without descriptors left the pass is incomplete and says so; with one the deepest tree is walked', async (t) => {
  const directory = await tempDir(t);
  const paths = [`${'d/'.repeat(60)}deep`, 'top'];
  make(directory, paths);
  const starved = walkInChild(directory, { maxOpenFiles: 50 }, takeDescriptors(0));
  assert.deepEqual([starved.complete, starved.paths], [false, []]);
  assert.ok(starved.problems.some((sentence) => sentence.includes('EMFILE')));
  const frugal = walkInChild(directory, { maxOpenFiles: 50 }, takeDescriptors(1));
  assert.deepEqual([frugal.complete, frugal.paths], [true, paths.sort()]);
});

test('names come in the order of their keys; where memory holds fewer, in stretches, each in order', async (t) => {
  const directory = await tempDir(t);
  const names = ['a/x', 'a-b', 'a.b', 'a0', 'Z', '~', 'b/a', 'b/b', '\xff'];
  make(directory, names);
  const inOrder = (files: FoundFile[]): string[] => files.map(({ path }) => path);
  const all = await walkAll(directory);
  assert.deepEqual(inOrder(all.files), [...names].sort());
  for (const namesHeld of [1, 2, 3, 7]) {
    const { files, paths, report } = await walkAll(directory, { namesHeld });
    assert.deepEqual([paths, report.complete], [[...names].sort(), true]);
    const descents = inOrder(files).filter((path, index, paths) => path < (paths[index - 1] ?? ''));
    assert.ok(descents.length <= Math.ceil(names.length / namesHeld), `${descents.length} with ${namesHeld}`);
  }
});

test('names that memory does not hold wait on disk and come in one order; without room there, in stretches', async (t) => {
  const directory = await tempDir(t);
  const runsIn = await tempDir(t);
  // Longer together than what is read of a run at a time.
  const long = Array.from({ length: 300 }, (_, index) => `${(index * 7_919) % 300}-${'n'.repeat(100)}`);
  const names = ['a/x', 'a-b', 'a.b', 'a0', 'Z', '~', 'b/a', 'b/b', '\xff', ...long];
  make(directory, names);
  for (const namesHeld of [1, 2, 7, 150, 308]) {
    const { files, report } = await walkAll(directory, { namesHeld, runsIn });
    assert.deepEqual(
      files.map(({ path }) => path),
      [...names].sort(),
      `${namesHeld} held`,
    );
    assert.equal(report.complete, true);
  }
  assert.deepEqual(readdirSync(runsIn), []);
  const { paths, report } = await walkAll(directory, { namesHeld: 7, runsIn: join(runsIn, 'none') });
  assert.deepEqual([paths, report.complete], [[...names].sort(), true]);
});

test('files made and removed while names wait on disk are met once, or with the next pass, and harm no other', async (t) => {
  const directory = await tempDir(t);
  const runsIn = await tempDir(t);
  const names = Array.from({ length: 400 }, (_, index) => `f${String(index).padStart(4, '0')}`);
  make(directory, names);
  const gone = names.slice(300);
  let batches = 0;
  const { paths, report } = await walkAll(directory, { namesHeld: 30, runsIn }, () => {
    batches += 1;
    if (batches > 1) return;
    for (const name of gone) rmSync(join(directory, name));
    make(
      directory,
      names.map((name) => `${name}-new`),
    );
  });
  const old = paths.filter((path) => !path.endsWith('-new'));
  assert.deepEqual(old.slice(0, 300), names.slice(0, 300));
  assert.equal(new Set(paths).size, paths.length);
  assert.equal(report.complete, true);
});

test('a source that is gone or is no directory makes an incomplete pass, not an empty one', async (t) => {
  const directory = await tempDir(t);
  make(directory, ['file']);
  for (const source of [join(directory, 'none'), join(directory, 'file')]) {
    const { report, paths } = await walkAll(source);
    assert.deepEqual([report.complete, paths.length, report.problems.length], [false, 0, 1]);
  }
});

test('directories that vanish while they are walked take nothing else with them', async (t) => {
  const directory = await tempDir(t);
  const names = Array.from({ length: 40 }, (_, index) => `d${index}`);
  make(
    directory,
    names.flatMap((name) => [`${name}/1`, `${name}/sub/2`]),
  );
  make(
    directory,
    Array.from({ length: 2_000 }, (_, index) => `file ${index}`),
  );
  const stays = new Set(names.slice(0, 5));
  const { paths } = await walkAll(directory, {}, () => {
    for (const name of names)
      if (!stays.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
  });
  const expected = [...stays].flatMap((name) => [`${name}/1`, `${name}/sub/2`]);
  assert.deepEqual(
    paths.filter((path) => [...stays].some((name) => path.startsWith(`${name}/`))),
    expected.sort(),
  );
  assert.equal(paths.filter((path) => path.startsWith('file ')).length, 2_000);
});

test('a pass given up is incomplete and leaves no directory open', async (t) => {
  const directory = await tempDir(t);
  make(
    directory,
    Array.from({ length: 3_000 }, (_, index) => `d${index % 7}/file ${index}`),
  );
  const openBefore = readdirSync('/proc/self/fd').length;
  const stop = new AbortController();
  const { report } = await walkAll(directory, { signal: stop.signal }, () => stop.abort());
  assert.equal(report.complete, false);
  const clock = createFakeClock();
  const walk = startWalk({
    root: toBytePath(directory),
    clock,
    cpuShare: 1,
    signal: new AbortController().signal,
    onAside: () => {},
  });
  for await (const _ of walk.batches) break;
  assert.equal(readdirSync('/proc/self/fd').length, openBefore);
});

test('a pass waits in proportion to what it costs, the work on what it found included', async (t) => {
  const directory = await tempDir(t);
  make(
    directory,
    Array.from({ length: 4_000 }, (_, index) => `file ${index}`),
  );
  const passWith = async (cpuShare: number, workMs: number) => {
    const clock = createFakeClock({ runsAlong: true });
    const startedMs = performance.now();
    await walkAll(directory, { clock, cpuShare }, () => {
      const from = performance.now();
      while (performance.now() - from < workMs);
    });
    const costMs = performance.now() - startedMs;
    return { costMs, sleptMs: clock.slept.reduce((sum, ms) => sum + ms, 0) };
  };
  assert.equal((await passWith(1, 0)).sleptMs, 0);
  for (const workMs of [0, 2]) {
    const { costMs, sleptMs } = await passWith(0.05, workMs);
    const owed = costMs * 19;
    assert.ok(sleptMs <= owed + 1 && sleptMs >= owed * 0.25, `slept ${sleptMs} of ${owed}`);
  }
  const stalled = await passWith(0.05, 500);
  assert.ok(
    stalled.sleptMs < stalled.costMs * 19 * 0.5,
    'a moment in which all stands still is not multiplied',
  );
});

test('a second look sees only a regular file', async (t) => {
  const directory = await tempDir(t);
  make(directory, ['file']);
  symlinkSync('file', join(directory, 'link'));
  mkdirSync(join(directory, 'dir'));
  assert.ok(lookAgain(directory, 'file'));
  for (const path of ['link', 'dir', 'none', 'file/below'])
    assert.equal(lookAgain(directory, path), undefined, path);
});
