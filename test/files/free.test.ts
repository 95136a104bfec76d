// Deleting takes away nothing but the content that was proved, whatever a writer does at the same moment.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { errnoOf } from '../../app/core/errors.ts';
import { type FreeStep, freeFile, restoreAside } from '../../app/files/free.ts';
import { startWalk } from '../../app/files/walk.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp.ts';
import { openToAll, runChild } from './child.ts';

const PROVED = 'the proved content';

/** A file written a while ago, as it was when it was hashed. */
function placeProved(directory: string, name = 'file') {
  const path = join(directory, name);
  writeFileSync(path, PROVED);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  return lstatSync(path);
}

const STEPS: readonly FreeStep[] = ['checked', 'aside', 'rechecked'];
const ACTIONS = [
  'append through the open descriptor',
  'overwrite through the open descriptor',
  'rewrite by path',
  'append by path',
  'rename over',
  'rename over with the same size and time',
  'append through the open descriptor and set the old time',
  'unlink',
  'create if free',
  'touch',
  'put a directory there',
  'put a link there',
] as const;
type Action = (typeof ACTIONS)[number];

/** What another process does to `file` in that directory; each content it writes is new. */
function act(directory: string, fd: number, action: Action, content: string): void {
  const path = join(directory, 'file');
  const aside = join(directory, 'new');
  try {
    switch (action) {
      case 'append through the open descriptor':
        writeSync(fd, content, PROVED.length);
        return;
      case 'overwrite through the open descriptor':
        writeSync(fd, content.slice(0, 1), 0);
        return;
      case 'rewrite by path':
        writeFileSync(path, content);
        return;
      case 'append by path':
        appendFileSync(path, content);
        return;
      case 'rename over':
        writeFileSync(aside, content);
        renameSync(aside, path);
        return;
      case 'rename over with the same size and time':
        writeFileSync(aside, content.padEnd(PROVED.length).slice(-PROVED.length));
        utimesSync(aside, 1_700_000_000, 1_700_000_000);
        renameSync(aside, path);
        return;
      case 'append through the open descriptor and set the old time':
        writeSync(fd, content, PROVED.length);
        futimesSync(fd, 1_700_000_000, 1_700_000_000);
        return;
      case 'unlink':
        unlinkSync(path);
        return;
      case 'create if free':
        writeFileSync(path, content, { flag: 'wx' });
        return;
      case 'touch':
        utimesSync(path, 1_700_000_100, 1_700_000_100);
        return;
      case 'put a directory there':
        mkdirSync(path);
        writeFileSync(join(path, 'below'), content);
        return;
      case 'put a link there':
        symlinkSync(content, path);
        return;
    }
  } catch (error) {
    // A writer that finds its file gone or its name taken goes on with something else.
    if (!['ENOENT', 'EEXIST', 'EISDIR', 'ENOTDIR', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
    rmSync(aside, { force: true });
  }
}

/** Every content below a directory, under whatever name, sorted. */
function contents(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isSymbolicLink() ? 'a link' : readFileSync(path, 'utf8');
    })
    .sort();
}

function without(all: readonly string[], one: string): string[] {
  const at = all.indexOf(one);
  return at < 0 ? [...all, `missing: ${one}`] : all.toSpliced(at, 1);
}

/**
 * Frees while the writer acts at the given steps. What was there after its last action must be there at the end, but
 * for the proved content when it was freed.
 */
function race(directory: string, acts: ReadonlyMap<FreeStep, readonly Action[]>): void {
  const proved = placeProved(directory);
  const fd = openSync(join(directory, 'file'), 'r+');
  try {
    let written = 0;
    let last = contents(directory);
    const onStep = (step: FreeStep) => {
      for (const action of acts.get(step) ?? []) {
        written += 1;
        act(directory, fd, action, `new content ${written}`);
      }
      last = contents(directory);
    };
    const outcome = freeFile(directory, 'file', proved, { onStep });
    const left = contents(directory);
    if (outcome === 'freed') assert.deepEqual(left, without(last, PROVED));
    else assert.deepEqual(left, last);
    assert.ok(outcome === 'freed' || outcome === 'changed' || outcome === 'vanished', outcome);
    assert.equal(
      readdirSync(directory).some((name) => name.startsWith('.ferry-aside.')),
      false,
    );
  } finally {
    closeSync(fd);
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  }
}

/**
 * The known limit: between the recheck and the unlink, microseconds of one synchronous stretch, a write through a
 * descriptor that was opened before cannot be seen by anybody.
 */
const beyondPromise = (step: FreeStep, action: Action): boolean =>
  step === 'rechecked' && action.includes('open descriptor');

test('one action of a writer at any step costs no content that was not proved', async (t) => {
  const directory = await tempDir(t);
  for (const step of STEPS) {
    for (const action of ACTIONS) {
      if (beyondPromise(step, action)) continue;
      race(directory, new Map([[step, [action]]]));
    }
  }
});

test('any actions at all steps cost no content that was not proved', async (t) => {
  const directory = await tempDir(t);
  const actionsAt = (step: FreeStep) =>
    fc.array(fc.constantFrom(...ACTIONS.filter((action) => !beyondPromise(step, action))), { maxLength: 3 });
  fc.assert(
    fc.property(
      actionsAt('checked'),
      actionsAt('aside'),
      actionsAt('rechecked'),
      (checked, aside, rechecked) => {
        race(
          directory,
          new Map([
            ['checked', checked],
            ['aside', aside],
            ['rechecked', rechecked],
          ]),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('an untouched file is freed, and nothing of it stays', async (t) => {
  const directory = await tempDir(t);
  assert.equal(freeFile(directory, 'file', placeProved(directory)), 'freed');
  assert.deepEqual(readdirSync(directory), []);
});

test('a file in another state than proved stays, one that is gone is said to be gone', async (t) => {
  const directory = await tempDir(t);
  const proved = placeProved(directory);
  appendFileSync(join(directory, 'file'), '!');
  assert.equal(freeFile(directory, 'file', proved), 'changed');
  assert.deepEqual(contents(directory), [`${PROVED}!`]);
  unlinkSync(join(directory, 'file'));
  assert.equal(freeFile(directory, 'file', proved), 'vanished');
  assert.equal(freeFile(directory, 'no such/file', proved), 'vanished');
  writeFileSync(join(directory, 'was a directory'), '');
  assert.equal(freeFile(directory, 'was a directory/file', proved), 'vanished');
  symlinkSync('was a directory', join(directory, 'file'));
  assert.equal(freeFile(directory, 'file', proved), 'changed');
});

test('names of 255 bytes and of any bytes are freed', async (t) => {
  const directory = await tempDir(t);
  for (const name of ['n'.repeat(255), 'not utf-8 \xff', 'line\nfeed']) {
    const path = Buffer.from(`${directory}/${name}`, 'latin1');
    writeFileSync(path, PROVED);
    assert.equal(freeFile(directory, name, lstatSync(path)), 'freed');
    assert.deepEqual(readdirSync(directory), []);
  }
});

test('a directory that forbids it: the file is refused and untouched', async (t) => {
  const directory = await tempDir(t);
  openToAll(directory);
  mkdirSync(join(directory, 'theirs'));
  placeProved(join(directory, 'theirs'));
  chmodSync(join(directory, 'theirs'), 0o555);
  const code = `
    const { freeFile } = await import(app('files/free.ts'));
    const { lstatSync } = await import('node:fs');
    console.log(freeFile(args[0], 'theirs/file', lstatSync(args[0] + '/theirs/file')));
  `;
  const { stdout, stderr } = runChild(code, [directory], { plain: true });
  chmodSync(join(directory, 'theirs'), 0o755);
  assert.equal(stdout, 'refused\n', stderr.slice(0, 500));
  assert.deepEqual(contents(directory), [PROVED]);
});

const KILLED_AT = `
  const { freeFile } = await import(app('files/free.ts'));
  const { lstatSync } = await import('node:fs');
  const [directory, killAt] = args;
  const onStep = (step) => {
    if (step === killAt) process.kill(process.pid, 'SIGKILL');
  };
  freeFile(directory, 'file', lstatSync(directory + '/file'), { onStep });
`;

/** The next walk, as the finder makes it. */
async function nextWalk(directory: string): Promise<string[]> {
  const walk = startWalk({
    root: directory,
    clock: createFakeClock(),
    cpuShare: 1,
    signal: new AbortController().signal,
    onAside: (path, original) => restoreAside(directory, path, original),
  });
  const paths: string[] = [];
  for await (const batch of walk.batches) paths.push(...batch.map(({ path }) => path));
  return paths;
}

for (const step of STEPS) {
  test(`killed at the step "${step}" the file has its name and content again after the next walk`, async (t) => {
    const directory = await tempDir(t);
    placeProved(directory);
    const { signal, stderr } = runChild(KILLED_AT, [directory, step]);
    assert.equal(signal, 'SIGKILL', stderr.slice(0, 500));
    assert.deepEqual(contents(directory), [PROVED]);
    await nextWalk(directory);
    assert.deepEqual(await nextWalk(directory), ['file']);
    assert.equal(readFileSync(join(directory, 'file'), 'utf8'), PROVED);
  });
}

test('where the name was taken meanwhile the restored file gets one of its own, and nothing is overwritten', async (t) => {
  const directory = await tempDir(t);
  placeProved(directory);
  runChild(KILLED_AT, [directory, 'aside']);
  writeFileSync(join(directory, 'file'), 'newer');
  writeFileSync(join(directory, 'file.ferry-kept-1'), 'kept before');
  await nextWalk(directory);
  assert.deepEqual((await nextWalk(directory)).sort(), ['file', 'file.ferry-kept-1', 'file.ferry-kept-2']);
  assert.deepEqual(contents(directory), ['kept before', 'newer', PROVED].sort());
  assert.equal(readFileSync(join(directory, 'file.ferry-kept-2'), 'utf8'), PROVED);
});

test('killed between the two halves of giving a name back, the file is not doubled', async (t) => {
  const directory = await tempDir(t);
  placeProved(directory, '.ferry-aside.file');
  linkSync(join(directory, '.ferry-aside.file'), join(directory, 'file'));
  await nextWalk(directory);
  assert.deepEqual(readdirSync(directory), ['file']);
  assert.equal(readFileSync(join(directory, 'file'), 'utf8'), PROVED);
});

test('a name of 255 bytes that is taken is kept under one that fits', async (t) => {
  const directory = await tempDir(t);
  const name = 'n'.repeat(242);
  writeFileSync(join(directory, name), 'newer');
  writeFileSync(join(directory, `.ferry-aside.${name}`), PROVED);
  await nextWalk(directory);
  assert.deepEqual(contents(directory), ['newer', PROVED].sort());
  assert.equal(existsSync(join(directory, `${'n'.repeat(230)}.ferry-kept-1`)), true);
});

test('a file whose content changed without moving a time stays: a mapped page of a vendor is not lost', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  writeFileSync(path, 'proved content');
  const proved = lstatSync(path);
  const sha256 = hash('sha256', 'proved content', 'hex');
  writeFileSync(path, 'mapped content');
  utimesSync(path, proved.atimeMs / 1_000, proved.mtimeMs / 1_000);
  const now = { ...lstatSync(path), ino: proved.ino, size: proved.size, mtimeMs: lstatSync(path).mtimeMs };
  assert.equal(freeFile(directory, 'file', now, { sha256 }), 'changed');
  assert.equal(readFileSync(path, 'utf8'), 'mapped content');
});

test('with its content known, a moved ctime keeps no file: a hard link elsewhere does not hold it for ever', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'file');
  writeFileSync(path, 'proved content');
  const proved = lstatSync(path);
  linkSync(path, join(directory, 'link'));
  assert.equal(freeFile(directory, 'file', proved), 'changed');
  assert.equal(
    freeFile(directory, 'file', proved, { sha256: hash('sha256', 'proved content', 'hex') }),
    'freed',
  );
});

test('what was moved elsewhere and linked to is not freed there', async (t) => {
  const directory = await tempDir(t);
  mkdirSync(join(directory, 'source/2026'), { recursive: true });
  writeFileSync(join(directory, 'source/2026/file'), 'archived');
  const proved = lstatSync(join(directory, 'source/2026/file'));
  renameSync(join(directory, 'source/2026'), join(directory, 'archive'));
  symlinkSync(join(directory, 'archive'), join(directory, 'source/2026'));
  assert.equal(freeFile(join(directory, 'source'), '2026/file', proved), 'changed');
  assert.equal(readFileSync(join(directory, 'archive/file'), 'utf8'), 'archived');
});
