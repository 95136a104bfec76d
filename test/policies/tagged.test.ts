// What a tagged version allowed, read from a real repository.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FerryError } from '../../app/core/errors.ts';
import { type AllowedRecord, textOf } from '../../policies/record.ts';
import { taggedRecords } from '../../policies/tagged.ts';
import { tempDir } from '../support/temp.ts';

const NOBODY = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };

function git(directory: string, ...words: readonly string[]): void {
  const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...author, ...words], {
    cwd: directory,
    env: { ...process.env, ...NOBODY },
    stdio: 'pipe',
  });
}

function allowing(action: string): AllowedRecord {
  const granted = {
    action,
    resource: 's3/object',
    place: 'own data',
    because: 'A allows it',
    conditions: [],
  };
  return { 'staging/ferry': { arn: 'arn:aws:iam::1:role/ferry', takenBy: [], allowed: [granted] } };
}

interface Repository {
  readonly top: string;
  /** Of the project, below the top. */
  readonly project: string;
  commit(text: string): void;
}

async function repository(t: TestContext): Promise<Repository> {
  const top = await tempDir(t);
  const project = join(top, 'data/ferry');
  mkdirSync(join(project, 'policies'), { recursive: true });
  git(top, 'init', '--quiet');
  return {
    top,
    project,
    commit(text) {
      writeFileSync(join(project, 'policies/allowed.json'), text);
      git(top, 'add', '.');
      git(top, 'commit', '--quiet', '--allow-empty', '--message', 'x');
    },
  };
}

test('no tag, no repository: nothing is known', async (t) => {
  const { project, commit } = await repository(t);
  assert.deepEqual(taggedRecords(project), []);
  commit(textOf(allowing('s3:PutObject')));
  assert.deepEqual(taggedRecords(project), []);
});

test('after a tag, its record is the one to compare with, whatever was committed since', async (t) => {
  const { top, project, commit } = await repository(t);
  commit(textOf(allowing('s3:PutObject')));
  git(top, 'tag', 'v1.0.0');
  commit(textOf(allowing('s3:GetObject')));
  assert.deepEqual(taggedRecords(project), [{ tag: 'v1.0.0', roles: allowing('s3:PutObject') }]);
  git(top, 'tag', '--annotate', '--message', 'x', 'v1.1.0');
  assert.deepEqual(
    taggedRecords(project).map(({ tag }) => tag),
    ['v1.1.0', 'v1.0.0'],
    'the tagged commit itself was made against the tag before',
  );
  commit(textOf(allowing('s3:ListBucket')));
  assert.deepEqual(taggedRecords(project), [{ tag: 'v1.1.0', roles: allowing('s3:GetObject') }]);
});

test('a first version was made against none', async (t) => {
  const { top, project, commit } = await repository(t);
  commit(textOf(allowing('s3:PutObject')));
  git(top, 'tag', 'v1.0.0');
  assert.deepEqual(
    taggedRecords(project).map(({ tag }) => tag),
    ['v1.0.0', null],
  );
});

test('a shallow clone knows nothing and says nothing else, its own tag notwithstanding', async (t) => {
  const { top, commit } = await repository(t);
  commit(textOf(allowing('s3:PutObject')));
  git(top, 'tag', 'v1.0.0');
  commit(textOf(allowing('s3:GetObject')));
  git(top, 'tag', 'v1.1.0');
  for (const tags of ['--no-tags', '--tags']) {
    const clone = join(await tempDir(t), 'clone');
    git(top, 'clone', '--quiet', '--depth=1', tags, `file://${top}`, clone);
    assert.deepEqual(taggedRecords(join(clone, 'data/ferry')), [], tags);
  }
});

test('a tag without a record kept none; one with something else is refused', async (t) => {
  const { top, project, commit } = await repository(t);
  writeFileSync(join(project, 'README.md'), 'x');
  git(top, 'add', '.');
  git(top, 'commit', '--quiet', '--message', 'x');
  git(top, 'tag', 'v0.1.0');
  commit('{"staging": 1}');
  assert.deepEqual(taggedRecords(project), [{ tag: 'v0.1.0', roles: null }]);
  git(top, 'tag', 'v0.2.0');
  commit('{}');
  assert.throws(
    () => taggedRecords(project),
    (error) => error instanceof FerryError && error.message.includes('policies/allowed.json of v0.2.0'),
  );
});
