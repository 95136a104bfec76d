// How much of a core the passes over the source take.
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFolderStore } from '../../app/core/folder/store.ts';
import { createLog } from '../../app/core/log.ts';
import { loadSettings } from '../../app/core/settings/settings.ts';
import { assemble } from '../../app/files/parts.ts';
import { filesSpec } from '../../app/files/settings.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp.ts';

test('a patrol takes a quarter of its share while hints serve, and all of it after it met a file first', async (t) => {
  const directory = await tempDir(t);
  const [source, to, state] = ['source', 'to', 'state'].map((name) => join(directory, name));
  assert.ok(source && to && state);
  for (const path of [source, to, state]) mkdirSync(path);
  for (let number = 0; number < 6_000; number += 1) writeFileSync(join(source, `${number}`), 'x');
  const startMs = Date.now() + 10_000;
  const clock = createFakeClock({ startMs, runsAlong: true });
  const flags = { source, to, state, keep: true, settle: '1s', 'walk-cpu-share': '0.01' };
  const parts = assemble({
    settings: loadSettings(filesSpec, { flags: new Map(Object.entries(flags)), env: {} }),
    store: openFolderStore(to),
    clock,
    log: createLog({ level: 'error', stream: process.stdout }),
  });
  t.after(() => {
    parts.stop.abort();
    parts.ledger.close();
  });
  const { hints } = parts.finder;
  assert.ok(hints);
  /** Of each millisecond of work so many were slept: 99 with a share of 0.01, 399 with a quarter of it. */
  const patrol = async (hurried = false): Promise<number> => {
    const before = clock.slept.length;
    const startedMs = performance.now();
    await parts.passes.patrol(hurried);
    const workedMs = performance.now() - startedMs;
    return clock.slept.slice(before).reduce((sum, ms) => sum + ms, 0) / workedMs;
  };

  assert.ok((await patrol()) < 100, 'nothing is known of hints');
  hints.brought();
  assert.ok((await patrol()) > 100, 'they brought a file');
  writeFileSync(join(source, 'untold'), 'x');
  utimesSync(join(source, 'untold'), startMs / 1_000 + 1, startMs / 1_000 + 1);
  hints.brought();
  await patrol();
  assert.ok(parts.queue.has('untold'));
  hints.brought();
  assert.ok((await patrol()) < 100, 'the last one met a file that nobody had told of');
  hints.brought();
  assert.ok((await patrol()) > 100, 'that file waits to be sent and says nothing more');
  assert.equal(await patrol(true), 0, 'in a hurry it does not wait');
});
