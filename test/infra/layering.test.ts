// The Pulumi program takes charts and settings and nothing else of the house; its documents take nothing at all; and of
// the AWS package only single resources, as all of it takes seconds to load.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../manifests/targets.ts';
import { importsOf, wrongInfraImports, wrongManifestImports } from '../support/layering.ts';

const FOLDER = join(ROOT, 'infra');
const sources = globSync('**/*.ts', { cwd: FOLDER }).map((path) => ({
  path,
  source: readFileSync(join(FOLDER, path), 'utf8'),
}));

test('the program imports charts, settings and errors only, and its documents only each other', () => {
  assert.ok(sources.length > 15);
  assert.deepEqual(
    sources.flatMap(({ path, source }) => wrongInfraImports(path, source)),
    [],
  );
});

test('an import the wrong way is found from either side', () => {
  const planted = "import { a } from '../app/files/mover.ts';";
  assert.equal(wrongInfraImports('cloud.ts', planted).length, 1);
  assert.equal(wrongInfraImports('documents/role.ts', "import { a } from '../cloud.ts';").length, 1);
  assert.equal(wrongInfraImports('documents/role.ts', "import { a } from '@pulumi/aws';").length, 1);
  assert.equal(wrongManifestImports('writer.ts', "import { a } from '../infra/cloud.ts';").length, 1);
});

test('no package of a provider is imported as a whole, and AWS is loaded by what is made there alone', () => {
  for (const { path, source } of sources)
    for (const specifier of importsOf(source)) {
      assert.doesNotMatch(specifier, /^@pulumi\/(aws|kubernetes)(\/index\.js)?$/, path);
      if (specifier.startsWith('@pulumi/aws/'))
        assert.doesNotMatch(path, /program|index|cluster|workload\.ts/, path);
    }
});
