// `npm start` as a stranger uses it: relative paths are meant from where it was typed, and it ends when npm is told to.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support/cli.ts';
import { spawnFerry } from './support/ferry-child.ts';
import { tempDir, until } from './support/temp.ts';

test('npm start moves relative to where it was typed, and SIGTERM to npm reaches Ferry', async (t) => {
  const directory = await tempDir(t);
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data/file'), 'content');
  const words = ['files', '--source', 'data', '--to', 'out', '--key', '{path}', '--settle', '0'];
  const run = spawnFerry(t, words, {
    program: ['npm', '--prefix', ROOT, 'start', '--'],
    cwd: directory,
    env: { HOME: directory },
  });
  await until(() => existsSync(join(directory, 'out/file')), 'the file is moved', 60_000);
  run.child.kill('SIGTERM');
  // Its output ends only with the last process that holds it: an orphan would keep this waiting.
  const { stdout } = await run.ended;
  assert.match(stdout, /"stopping: up to 25s/);
  assert.match(stdout, /"done: 1 files? sent/);
});
