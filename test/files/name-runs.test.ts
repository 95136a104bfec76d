import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openNameRuns } from '../../app/files/name-runs.ts';
import { tempDir } from '../support/temp.ts';

test('runs come back as one order, and leave nothing behind', async (t) => {
  const directory = await tempDir(t);
  const runs = openNameRuns(directory, 0);
  for (const run of [['b', 'd', '~'], ['a', 'c', 'c'], [], ['\xff']]) runs.add(run);
  const names = Array.from({ length: 8 }, () => runs.take());
  assert.deepEqual(names, ['a', 'b', 'c', 'c', 'd', '~', '\xff', undefined]);
  runs.close();
  assert.deepEqual(readdirSync(directory), []);
});

test('names never take the last of the volume, which is the ledger’s; what was added before still comes', async (t) => {
  const runs = openNameRuns(await tempDir(t), Number.MAX_SAFE_INTEGER);
  assert.throws(() => runs.add(['a']), /no room for names that wait/);
  assert.equal(runs.take(), undefined);
  runs.close();
});
