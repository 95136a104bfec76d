// Keys of a folder in UTF-8 byte order, a directory at a time: memory does not grow with the number of files.
import type { BigIntStats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, StoreError } from '../errors.ts';
import { compareKeys } from '../store.ts';
import { throwIfAborted } from './errors.ts';
import { RESERVED, syncDirectory } from './temp.ts';

/** Names of one directory held at a time, the smallest after the place reached; a larger directory is read again. */
const WINDOW = 20_000;
/** Directories whose names are kept between pages: the path walked, as a rule. */
const KEPT = 8;
/** A directory changed twice within one tick of the file system's clock looks unchanged. */
const RACY_MS = 2_500;

/** Sorted names of a directory after `after`, at most WINDOW: those of directories end in `/`, as their keys go on. */
interface Window {
  readonly after: string;
  readonly names: readonly string[];
  /** Whether the directory holds no name after the last one here. */
  readonly complete: boolean;
  readonly mtimeNs: bigint;
  readonly settled: boolean;
}

export interface KeyWalk {
  /** The keys below the prefix after the key `after`, in order, lazily. Names that are not UTF-8 cannot be keys: skipped. */
  keys(prefix: string, after: string, signal?: AbortSignal): AsyncGenerator<string>;
}

/** @param windowNames how many names of a directory are held at a time, at least 2 */
export function createKeyWalk(root: string, windowNames = WINDOW): KeyWalk {
  const kept = new Map<string, Window>();

  /** Undefined when a `start` directory was never made; any other was just seen in its parent and must be there. */
  async function windowOf(path: string, after: string, start: boolean): Promise<Window | undefined> {
    let before: BigIntStats;
    try {
      before = await stat(path, { bigint: true });
      const known = kept.get(path);
      const window =
        known && isWithin(known, after, before) ? known : await readWindow(path, after, before, windowNames);
      kept.delete(path);
      kept.set(path, window);
      const [oldest = ''] = kept.keys();
      if (kept.size > KEPT) kept.delete(oldest);
      return window;
    } catch (error) {
      const gone = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
      if (gone && start) return undefined;
      if (!gone) throw error;
      throw new StoreError('unavailable', `The directory ${path} went away while it was listed.`, {
        cause: error,
      });
    }
  }

  async function* below(
    directory: string,
    prefix: string,
    after: string,
    signal: AbortSignal | undefined,
    start: boolean,
  ): AsyncGenerator<string> {
    const path = join(root, directory);
    // The name to go on from: the segment of `after` in this directory, itself included when it is a directory.
    let reached = after.startsWith(directory) ? after.slice(directory.length) : '';
    const slash = reached.indexOf('/');
    if (slash >= 0) reached = reached.slice(0, slash + 1);
    let inclusive = slash >= 0;
    for (let first = true; ; first = false) {
      throwIfAborted(signal);
      const window = await windowOf(path, reached, start && first);
      if (!window) return;
      for (const name of window.names) {
        const order = compareKeys(name, reached);
        if (order < 0 || (order === 0 && !inclusive)) continue;
        const key = directory + name;
        if (!name.endsWith('/')) {
          if (key.startsWith(prefix)) yield key;
        } else if (key.startsWith(prefix) || prefix.startsWith(key)) {
          if (key !== `${RESERVED}/`) yield* below(key, prefix, after, signal, false);
        }
      }
      if (window.complete) return;
      reached = window.names.at(-1) ?? reached;
      inclusive = false;
    }
  }

  return {
    async *keys(prefix, after, signal) {
      const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      if (!isWalkable(directory)) return;
      if (!after.startsWith(directory) && compareKeys(after, directory) > 0) return;
      yield* below(directory, prefix, after, signal, true);
    },
  };
}

/** Whether any key can lie there: `a//b` and `../` are no keys of a folder. */
function isWalkable(directory: string): boolean {
  if (directory === '') return true;
  const segments = directory.slice(0, -1).split('/');
  const odd = (segment: string): boolean => segment === '' || segment === '.' || segment === '..';
  return !segments.some(odd) && segments[0] !== RESERVED && !directory.includes('\0');
}

function isWithin(window: Window, after: string, stats: BigIntStats): boolean {
  if (!window.settled || window.mtimeNs !== stats.mtimeNs) return false;
  if (compareKeys(after, window.after) < 0) return false;
  const last = window.names.at(-1);
  return window.complete || (last !== undefined && compareKeys(after, last) < 0);
}

/** The directory is synced after it was read: a file that a listing has shown is there after a power cut too. */
async function readWindow(path: string, after: string, before: BigIntStats, limit: number): Promise<Window> {
  const startedMs = Date.now();
  let names: string[] = [];
  let complete = true;
  const shrink = (): void => {
    names = sortNames(names);
    if (names.length > limit) {
      names = names.slice(0, limit);
      complete = false;
    }
  };
  const directory = await opendir(path, { bufferSize: 1_024 });
  for await (const entry of directory) {
    const name = entry.isDirectory() ? `${entry.name}/` : entry.isFile() ? entry.name : undefined;
    if (name === undefined || compareKeys(name, after) < 0) continue;
    names.push(name);
    if (names.length >= 2 * limit) shrink();
  }
  shrink();
  syncDirectory(path);
  const settled = startedMs - Number(before.mtimeMs) > RACY_MS;
  return { after, names, complete, mtimeNs: before.mtimeNs, settled };
}

/** JavaScript's own sort where it gives the same order, which is 20 times faster; names read twice count once. */
function sortNames(names: string[]): string[] {
  const plain = names.every((name) => !/[\ud800-\uffff]/.test(name));
  if (plain) names.sort();
  else names.sort(compareKeys);
  return names.filter((name, index) => name !== names[index - 1]);
}
