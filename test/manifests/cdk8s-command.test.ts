// `npx cdk8s synth`, as cdk8s's own documentation has it: the real command, reading cdk8s.yaml.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { tempDir } from '../support/temp.ts';
import { ROOT } from './targets.ts';

const run = promisify(execFile);

test('cdk8s synth writes what npm run synth writes, and empties the output folder first', async (t) => {
  const directory = await tempDir(t);
  const [ours, theirs] = [join(directory, 'ours'), join(directory, 'theirs')];
  // It would ask the registry for a newer version and keep the answer in the home directory.
  const env = { ...process.env, CDK8S_CHECK_UPGRADE: 'false', HOME: directory };
  mkdirSync(theirs);
  writeFileSync(join(theirs, 'stale.yaml'), 'kind: Stale\n');
  await run(process.execPath, [join(ROOT, 'manifests/main.ts'), '--out', ours], { cwd: ROOT, env });
  const command = join(ROOT, 'node_modules/.bin/cdk8s');
  const { stdout } = await run(command, ['synth', '--output', theirs], { cwd: ROOT, env });
  const names = globSync('*/*.yaml', { cwd: ours }).sort();
  assert.ok(names.includes('minikube/2-writer.yaml') && names.includes('staging/2-writer.yaml'));
  assert.deepEqual(globSync('**/*.yaml', { cwd: theirs }).sort(), names);
  for (const name of names) {
    assert.equal(readFileSync(join(theirs, name), 'utf8'), readFileSync(join(ours, name), 'utf8'), name);
    assert.ok(stdout.includes(name), name);
  }
  assert.ok(!existsSync(join(theirs, 'stale.yaml')));
});
