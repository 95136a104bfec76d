import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { README, renew, SECTIONS, WHOLE } from './support/readme.ts';

test('the README has a place for every generated part', () => {
  assert.deepEqual(renew(readFileSync(README, 'utf8')).missing, []);
});

test('the README says what the code does: `npm run docs` would change nothing', () => {
  const readme = readFileSync(README, 'utf8');
  assert.ok(renew(readme).text === readme, 'README.md is stale: run `npm run docs`');
});

test('files that are generated as a whole are as the code makes them', () => {
  for (const [path, generate] of Object.entries(WHOLE))
    assert.ok(
      readFileSync(join(import.meta.dirname, '..', path), 'utf8') === generate(),
      `${path} is stale: run \`npm run docs\``,
    );
});

test('a missing marker is named, a stale part renewed, and a second time changes nothing', () => {
  const names = Object.keys(SECTIONS);
  assert.deepEqual(renew('# Nothing').missing, names);
  const stale = names
    .map((name) => `# ${name}\n<!-- ${name}:begin -->old<!-- ${name}:end -->\nkept\n`)
    .join('');
  const { text, missing } = renew(stale);
  assert.deepEqual(missing, []);
  assert.doesNotMatch(text, /old</);
  assert.equal(text.match(/^kept$/gm)?.length, names.length);
  assert.equal(renew(text).text, text);
});
