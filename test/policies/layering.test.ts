// Policies are pure functions over plain objects: they take documents, charts and settings, nothing that moves data.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../manifests/targets.ts';
import { wrongPolicyImports } from '../support/layering.ts';

test('the policies import documents, charts, settings and errors only', () => {
  const folder = join(ROOT, 'policies');
  const paths = globSync('**/*.ts', { cwd: folder });
  assert.ok(paths.length > 40);
  const wrong = paths.flatMap((path) => wrongPolicyImports(path, readFileSync(join(folder, path), 'utf8')));
  assert.deepEqual(wrong, []);
  for (const planted of ['../infra/cloud.ts', '../app/files/mover.ts', '../test/support/temp.ts'])
    assert.equal(wrongPolicyImports('page.ts', `import { a } from '${planted}';`).length, 1, planted);
});
