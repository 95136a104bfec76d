// The review's command for programs, and one target alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../manifests/targets.ts';
import { tempDir } from '../support/temp.ts';

test('after a synthesis the review of one target and of all end with 0, as JSON with every rule counted', async (t) => {
  const dist = join(await tempDir(t), 'dist');
  const run = (file: string, ...words: string[]) =>
    spawnSync(process.execPath, [join(ROOT, file), ...words], { encoding: 'utf8' });
  assert.equal(run('manifests/main.ts', '--out', dist, '--keys', await tempDir(t)).status, 0);
  for (const targets of [['staging'], []]) {
    const { status, stdout, stderr } = run('policies/review.ts', '--dist', dist, '--json', ...targets);
    assert.equal(status, 0, stderr);
    const { judged, rules } = JSON.parse(stdout);
    assert.deepEqual([judged.open, judged.faulty], [[], []]);
    assert.equal(judged.waived.length === 0, targets.length === 1);
    assert.ok(rules >= 55, `${rules} rules`);
  }
});
