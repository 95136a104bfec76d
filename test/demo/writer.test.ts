import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../app/core/clock.ts';
import { FerryError } from '../../app/core/errors.ts';
import {
  contentOf,
  type ManifestLine,
  runWriter,
  WRITER_PATTERNS,
  type WriterOptions,
} from '../../app/demo/writer.ts';
import { parseWriterFlags } from '../../app/demo/writer-process.ts';
import { createFakeClock } from '../support/fake-clock.ts';

function temporary(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'ferry-writer-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function optionsIn(root: string, changes: Partial<WriterOptions> = {}): WriterOptions {
  return {
    directory: join(root, 'data'),
    manifest: join(root, 'written.jsonl'),
    filesPerSecond: 100,
    sizeBytes: 1_000,
    burstFiles: 20,
    burstSizeBytes: 5_000,
    pattern: 'plain',
    seed: 'a seed',
    runId: 'run1',
    clock: systemClock,
    ...changes,
  };
}

function linesOf(manifest: string): ManifestLine[] {
  const lines = readFileSync(manifest, 'utf8').split('\n');
  assert.equal(lines.pop(), '', 'the last line is whole');
  return lines.map((line) => JSON.parse(line) as ManifestLine); // written by the code under test, compared below
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, `not within 60 s: ${what}`);
    await wait(5);
  }
}

const lineCount = (manifest: string) => {
  try {
    return readFileSync(manifest, 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
};

for (const pattern of WRITER_PATTERNS) {
  test(`${pattern}: after a stop in mid-air every file is in the manifest and every line's file has that content`, async (t) => {
    const options = optionsIn(temporary(t), { pattern });
    const stop = new AbortController();
    const running = runWriter(options, stop.signal);
    await until('some of the steady files are written', () => lineCount(options.manifest) > 25);
    stop.abort();
    const { files } = await running;

    const lines = linesOf(options.manifest);
    assert.equal(lines.length, files);
    assert.deepEqual(
      filesBelow(options.directory).sort(),
      lines.map(({ path }) => path).sort(),
      'nothing unfinished is left, nothing is missing',
    );
    for (const { path, size, sha256 } of lines) {
      const content = readFileSync(join(options.directory, path));
      assert.equal(content.length, size);
      assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
      assert.ok(
        content.equals(Buffer.concat([...contentOf(options.seed, path, size)])),
        'can be computed again',
      );
    }
    assert.equal(lines.filter(({ size }) => size === 5_000).length, 20);
  });
}

test('tmp-rename: a name without .tmp never shows a part of the content', async (t) => {
  const options = optionsIn(temporary(t), { pattern: 'tmp-rename', filesPerSecond: 200 });
  const stop = new AbortController();
  const running = runWriter(options, stop.signal);
  let seenTemporary = 0;
  let seenWhole = 0;
  await until('many looks', () => {
    for (const path of lineCount(options.manifest) > 0 ? filesBelow(options.directory) : []) {
      if (path.endsWith('.tmp')) seenTemporary += 1;
      else {
        const { length } = readFileSync(join(options.directory, path));
        assert.ok(length === 1_000 || length === 5_000, `${path} has ${length} bytes`);
        seenWhole += 1;
      }
    }
    return seenTemporary > 50 && seenWhole > 50;
  });
  stop.abort();
  await running;
});

test('slow: a file grows under its own name before it is in the manifest', async (t) => {
  const options = optionsIn(temporary(t), { pattern: 'slow', burstFiles: 1, filesPerSecond: 0 });
  const running = runWriter(options, new AbortController().signal);
  const sizes = new Set<number>();
  await until('the file is finished', () => {
    for (const path of lineCount(options.manifest) === 0 ? filesBelow(options.directory) : []) {
      sizes.add(readFileSync(join(options.directory, path)).length);
    }
    return lineCount(options.manifest) === 1;
  });
  await running;
  assert.ok(sizes.has(1_000) && sizes.has(3_000), `saw the sizes ${[...sizes]}`);
});

test('a second run in the same place keeps the files and manifest of the first and writes other paths', async (t) => {
  const root = temporary(t);
  const burstOnly = { filesPerSecond: 0, burstFiles: 30 };
  const first = optionsIn(root, burstOnly);
  await runWriter(first, new AbortController().signal);
  await runWriter(optionsIn(root, { ...burstOnly, runId: 'run2' }), new AbortController().signal);
  const paths = linesOf(first.manifest).map(({ path }) => path);
  assert.equal(paths.length, 60);
  assert.equal(new Set(paths).size, 60);
  await assert.rejects(runWriter(first, new AbortController().signal), /EEXIST/, 'never the same path twice');
});

test('a line that a kill cut short stays alone: the next run starts a new one', async (t) => {
  const options = optionsIn(temporary(t), { filesPerSecond: 0, burstFiles: 1 });
  writeFileSync(options.manifest, '{"path":"a.d');
  await runWriter(options, new AbortController().signal);
  const [torn, whole, end] = readFileSync(options.manifest, 'utf8').split('\n');
  assert.equal(torn, '{"path":"a.d');
  assert.equal((JSON.parse(whole ?? '') as ManifestLine).size, 5_000);
  assert.equal(end, '');
});

test('the steady rate is the one asked for', async (t) => {
  const clock = createFakeClock();
  const options = optionsIn(temporary(t), { burstFiles: 0, filesPerSecond: 50, clock });
  const stop = new AbortController();
  const running = runWriter(options, stop.signal);
  for (let tick = 0; tick < 200; tick += 1) await clock.advance(20);
  stop.abort();
  const { files } = await running;
  assert.ok(Math.abs(files - 200) <= 2, `${files} files in 4 s at 50/s`);
});

test('a long burst lets the event loop turn', async (t) => {
  const options = optionsIn(temporary(t), { burstFiles: 1_000, filesPerSecond: 0, burstSizeBytes: 100 });
  let turns = 0;
  const beat = setInterval(() => {
    turns += 1;
  }, 1);
  await runWriter(options, new AbortController().signal);
  clearInterval(beat);
  assert.ok(turns >= 5, `${turns} turns`);
});

test('a folder that cannot be written to is one clear error', async (t) => {
  const root = temporary(t);
  writeFileSync(join(root, 'data'), 'a file in the way');
  await assert.rejects(runWriter(optionsIn(root), new AbortController().signal), (error) => {
    assert.ok(error instanceof FerryError);
    assert.equal(error.exit, 'source');
    assert.match(error.message, /data: (ENOTDIR|EEXIST)/);
    return true;
  });
});

test('flags are read as people write them, and a wrong one is named', () => {
  const options = parseWriterFlags({ dir: '/d/data', rate: '2.5', size: '2Ki', burst: '7', burstSize: '1M' });
  assert.equal(options.manifest, '/d/written.jsonl');
  assert.equal(options.filesPerSecond, 2.5);
  assert.equal(options.sizeBytes, 2_048);
  assert.equal(options.burstFiles, 7);
  assert.equal(options.burstSizeBytes, 1_000_000);
  assert.equal(options.pattern, 'plain');
  for (const [flags, named] of [
    [{ pattern: 'odd' }, /--pattern odd/],
    [{ rate: '-1' }, /--rate -1/],
    [{ burst: '' }, /--burst /],
    [{ size: '1 apple' }, /--size 1 apple/],
  ] as const) {
    assert.throws(() => parseWriterFlags({ dir: '/d', ...flags }), named);
  }
});
