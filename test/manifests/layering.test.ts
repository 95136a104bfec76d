// Manifests take the plan and the settings from the program and nothing else; the program takes nothing from them.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { wrongImports, wrongManifestImports } from '../support/layering.ts';
import { ROOT } from './targets.ts';

test('manifests import the plan, settings, units and errors of the program only', () => {
  const folder = join(ROOT, 'manifests');
  const paths = globSync('**/*.ts', { cwd: folder });
  assert.ok(paths.length > 10);
  const wrong = paths.flatMap((path) => wrongManifestImports(path, readFileSync(join(folder, path), 'utf8')));
  assert.deepEqual(wrong, []);
});

test('an import the wrong way is found from either side', () => {
  const planted = [
    '../app/files/mover.ts',
    '../app/commands/plan.ts',
    '../test/support/temp.ts',
    '../infra/a.ts',
  ];
  for (const specifier of planted)
    assert.equal(wrongManifestImports('writer.ts', `import { a } from '${specifier}';`).length, 1, specifier);
  assert.deepEqual(wrongManifestImports('writer.ts', "import { a } from '../app/plan/plan.ts';"), []);
  assert.equal(wrongImports('plan/plan.ts', "import { a } from '../../manifests/values.ts';").length, 1);
});
