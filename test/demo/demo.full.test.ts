import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { count, demoDirectory, filesBelow, startDemo } from './demo-runs.ts';

test('with the real burst, what is proved is freed after a minute and nothing else is', async (t) => {
  const root = demoDirectory(t);
  const { code, stdout, stderr } = await startDemo(t, root, '--for', '120s').ended;
  assert.equal(code, 0, stdout + stderr);
  const { written, inBucket, stillLocal, objects } = count(root);
  assert.ok(written > 5_000 + 12 * 80, `${written} written`);
  assert.equal(written, inBucket + stillLocal);
  assert.equal(objects, inBucket);
  const local = filesBelow(join(root, 'data'));
  assert.equal(local.filter((name) => name.startsWith('start-')).length, 0, 'the burst is freed');
  assert.ok(local.length >= 12 * 50, `the last minute is kept: ${local.length} files`);
});
