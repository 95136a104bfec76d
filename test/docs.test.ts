// What the docs say is there: every link leads somewhere, and every promise to a test of that name.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];

test('every link in README and docs leads to a file that is there', () => {
  let links = 0;
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^(https?:|#)/.test(target)) continue;
      links += 1;
      const path = join(ROOT, dirname(page), target.split('#')[0] ?? '');
      assert.ok(existsSync(path), `${page} links to ${target}`);
    }
  }
  assert.ok(links >= 20);
});

test('everything that is said to happen is shown by a test of that name', () => {
  const text = readFileSync(join(ROOT, 'docs/what-happens.md'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  assert.ok(rows.length >= 12);
  for (const row of rows) {
    const [, name = '', path = ''] = /\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\) \|$/.exec(row) ?? [];
    assert.notEqual(name, '', row);
    const source = readFileSync(join(ROOT, path), 'utf8').replaceAll("\\'", "'");
    assert.ok(
      source.includes(`test('${name}'`) || source.includes(`test("${name}"`) || namesKills(source, name),
      `${path}: ${name}`,
    );
  }
});

/** Tests whose name is made from a number. */
const namesKills = (source: string, name: string): boolean =>
  source.includes(name.replace(/\d+ kills/, '${')) || source.includes(name);
