// The last tagged version's record of what is allowed, read from git. The page itself is made from a committed copy
// (policies/allowed.tagged.json), so that it is the same in a clone without tags; whoever knows the tags checks the copy.
import { spawnSync } from 'node:child_process';
import { readRecord, type TaggedRecord } from './record.ts';

const RECORD = 'policies/allowed.json';

/**
 * What the committed copy may say: the last tag that HEAD comes after; while HEAD is itself tagged, the one before as
 * well, since that is what was true when it was committed. Empty where git is not there, knows no tag, or
 * holds no whole history.
 * @param directory of the project, anywhere in a repository
 * @throws FerryError `config` when a tagged record cannot be read
 */
export function taggedRecords(directory: string): TaggedRecord[] {
  // What a shallow clone does not see may be there all the same.
  if (git(directory, 'rev-parse', '--is-shallow-repository')?.trim() !== 'false') return [];
  const last = lastTag(directory, 'HEAD');
  if (last === undefined) return [];
  const isHead = git(directory, 'describe', '--tags', '--exact-match', 'HEAD') !== undefined;
  const before = isHead ? lastTag(directory, 'HEAD^') : undefined;
  const older: TaggedRecord[] = before === undefined ? [] : [recordAt(directory, before)];
  if (isHead && before === undefined) older.push({ tag: null, roles: null });
  return [recordAt(directory, last), ...older];
}

function lastTag(directory: string, commit: string): string | undefined {
  return git(directory, 'describe', '--tags', '--abbrev=0', commit)?.trim();
}

function recordAt(directory: string, tag: string): TaggedRecord {
  const text = git(directory, 'show', `${tag}:./${RECORD}`);
  return { tag, roles: text === undefined ? null : readRecord(`${RECORD} of ${tag}`, text) };
}

/** What git prints; undefined when it fails or is not there. */
function git(directory: string, ...words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', words, { cwd: directory, encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}
