// Deleting: set the file aside under another name, check that it is still the one that was hashed, unlink it; or put it
// back. Everything here is one synchronous stretch, so that only another process can come between two steps.
import { linkSync, lstatSync, realpathSync, renameSync, type Stats, unlinkSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { asideName, type BytePath, baseOf, joinPath, parentOf, toSystemPath } from './paths.ts';
import { readSmall } from './read.ts';
import { sameButCtime, sameStat } from './settle.ts';
import type { FileStat } from './walk.ts';

/** `changed`: it is not the file that was proved; it stays. `refused`: the directory does not allow it. */
export type FreeOutcome = 'freed' | 'changed' | 'vanished' | 'refused';

/** Between which steps another process may act; a test acts there. */
export type FreeStep = 'checked' | 'aside' | 'rechecked';

export interface FreeOptions {
  /**
   * Of the content that was proved. The file is then read once more, set aside: a writer that maps it into memory changes
   * it without moving a time, on tmpfs for ever. With it a moved ctime (a chmod, another hard link) says nothing.
   */
  readonly sha256?: string | undefined;
  readonly onStep?: (step: FreeStep) => void;
}

/** Never throws for what the file system says of this one file. `root` has no symlink in it. */
export function freeFile(
  root: BytePath,
  path: BytePath,
  proved: FileStat,
  options: FreeOptions = {},
): FreeOutcome {
  const { sha256, onStep = () => {} } = options;
  const absolute = toSystemPath(`${root}/${path}`);
  const asidePath = joinPath(parentOf(path), asideName(baseOf(path)));
  const aside = toSystemPath(`${root}/${asidePath}`);
  try {
    const found = lstat(absolute);
    if (found === undefined) return 'vanished';
    if (!found.isFile() || !(sha256 === undefined ? sameStat(found, proved) : sameButCtime(found, proved)))
      return 'changed';
    if (!isBelow(root, path)) return 'changed';
    if (lstat(aside) !== undefined) {
      restoreAside(root, asidePath, path);
      return 'changed';
    }
    onStep('checked');
    renameSync(absolute, aside);
    onStep('aside');
    const moved = lstat(aside);
    // The rename itself moves ctime; the rest must stand.
    const stands =
      moved?.isFile() === true &&
      sameButCtime(moved, proved) &&
      (sha256 === undefined || hasContent(`${root}/${asidePath}`, moved, sha256));
    if (!stands) {
      restoreAside(root, asidePath, path);
      return 'changed';
    }
    onStep('rechecked');
    unlinkSync(aside);
    return 'freed';
  } catch (error) {
    // ENOTDIR: a file stands where its directory was.
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '') ? 'vanished' : 'refused';
  }
}

function hasContent(absolute: BytePath, stat: FileStat, sha256: string): boolean {
  try {
    return readSmall(absolute, stat).sha256 === sha256;
  } catch {
    return false;
  }
}

/** Whether the path leads through no symlink: what somebody moved elsewhere and linked to is no longer Ferry's to free. */
function isBelow(root: BytePath, path: BytePath): boolean {
  const parent = parentOf(path);
  if (parent === '') return true;
  // The C library's own: Node's looks at each part of the path in JavaScript, which cost 20 us a file.
  const real = realpathSync.native(toSystemPath(`${root}/${parent}`), {
    encoding: 'latin1' as BufferEncoding,
  });
  return real === `${root}/${parent}`;
}

/**
 * Gives a file set aside its name back. Where the name is taken by a newer file, it gets a name of its own and is moved
 * like any other file: nothing is overwritten.
 */
export function restoreAside(root: BytePath, asidePath: BytePath, path: BytePath): void {
  const aside = toSystemPath(`${root}/${asidePath}`);
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const target = attempt === 0 ? path : keptName(path, attempt);
    try {
      renameIfFree(aside, toSystemPath(`${root}/${target}`));
      return;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      if (errnoOf(error) !== 'EEXIST') throw error;
      if (isSameFile(aside, toSystemPath(`${root}/${target}`))) {
        unlinkSync(aside);
        return;
      }
    }
  }
}

/** Both names lead to one file: a kill came between giving the name back and taking the other one away. */
function isSameFile(a: string | Buffer, b: string | Buffer): boolean {
  const [left, right] = [lstat(a), lstat(b)];
  return left !== undefined && left.ino === right?.ino && left.dev === right.dev;
}

function keptName(path: BytePath, attempt: number): BytePath {
  return joinPath(parentOf(path), `${baseOf(path).slice(0, 230)}.ferry-kept-${attempt}`);
}

function renameIfFree(from: string | Buffer, to: string | Buffer): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // A file system without hard links: look, then rename.
    if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOENT') throw error;
    if (lstat(to) !== undefined) throw Object.assign(new Error('The name is taken.'), { code: 'EEXIST' });
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

function lstat(path: string | Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
