// docs/staging.md names settings that exist and the plug-ins that the lock file's packages belong to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingName } from '../../app/core/settings/names.ts';
import { schema } from '../../manifests/settings/settings.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { ROOT } from '../manifests/targets.ts';

const text = readFileSync(join(ROOT, 'docs/staging.md'), 'utf8');

test('every setting it names is one', () => {
  const known = Object.keys(schema.shape).map(settingName);
  const named = [...text.matchAll(/`ferry:([a-z0-9-]+)/g)].map(([, name = '']) => name);
  assert.ok(named.length > 15);
  assert.deepEqual(
    named.filter((name) => !known.includes(name)),
    [],
  );
});

test('every npm script it runs is one, and the plug-ins are those of the packages', () => {
  const scripts = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name);
  assert.deepEqual(
    scripts.filter((name) => !Object.hasOwn(packageJson.scripts, name)),
    [],
  );
  for (const name of ['aws', 'kubernetes'] as const)
    assert.ok(text.includes(`resource ${name} ${packageJson.dependencies[`@pulumi/${name}`]}`), name);
});
