// The arrows between the program's parts go one way.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importsOf, wrongImports } from './support/layering.ts';

const APP = join(import.meta.dirname, '../app');

test('every import in the program goes the allowed way', () => {
  const paths = globSync('**/*.ts', { cwd: APP }).filter((path) => !path.endsWith('.d.ts'));
  assert.ok(paths.length > 20);
  const wrong = paths.flatMap((path) => wrongImports(path, readFileSync(join(APP, path), 'utf8')));
  assert.deepEqual(wrong, []);
});

test('an import the wrong way is found, however it is written', () => {
  const planted: [path: string, source: string][] = [
    ['core/retry.ts', "import { walk } from '../files/walk.ts';"],
    ['core/retry.ts', "import type { Walk } from '../files/walk.ts';"],
    ['core/retry.ts', "import {\n  type Walk,\n  walk,\n} from '../main.ts';"],
    ['core/deep/er.ts', "import { a } from '../../commands/demo.ts';"],
    ['files/mover.ts', "import { page } from '../events/page.ts';"],
    ['events/page.ts', "export { seal } from '../sessions/seal.ts';"],
    ['sessions/seal.ts', "const walk = await import('../files/walk.ts');"],
    ['sessions/seal.ts', "import '../files/walk.ts';"],
    ['files/mover.ts', "import { writer } from '../demo/writer.ts';"],
    ['files/mover.ts', "import { clock } from '../../test/support/fake-clock.ts';"],
    ['elsewhere/file.ts', ''],
  ];
  for (const [path, source] of planted)
    assert.equal(wrongImports(path, source).length, 1, `${path}: ${source}`);
});

test('imports the right way, of packages and of neighbours are let be', () => {
  const source =
    "import { readFileSync } from 'node:fs';\nimport { StoreError } from '../core/errors.ts';\nimport './b.ts';";
  assert.deepEqual(importsOf(source), ['node:fs', '../core/errors.ts', './b.ts']);
  for (const path of ['files/a.ts', 'events/a.ts', 'sessions/a.ts', 'demo/a.ts', 'commands/a.ts'])
    assert.deepEqual(wrongImports(path, source), []);
  assert.deepEqual(wrongImports('demo/demo.ts', "import { run } from '../files/run.ts';"), []);
});
