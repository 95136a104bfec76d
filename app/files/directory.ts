// One directory's names in order: keys then reach the ledger and the listing in their own order. What memory does not
// hold waits on disk, where the caller has a place for it; without one a larger directory comes in sorted stretches.
import { type Dir, opendirSync } from 'node:fs';
import { type NameRuns, openNameRuns } from './name-runs.ts';
import { type BytePath, joinPath, toSystemPath } from './paths.ts';

/**
 * Names held at a time, of all directories open one below the other. In the order a file system gives them (by hash)
 * each row of the ledger lands on another page and each proof lists the whole prefix: sorted, 50,000 files cost a third
 * less.
 */
const NAMES_HELD = 16_384;
const NAMES_HELD_MIN = 1_024;
const READ_AHEAD_ENTRIES = 1_024;

export interface Names {
  /** Reads on, at most so many entries; false when names can be taken, or none are left. Throws what the system says. */
  read(entries: number): boolean;
  /** The next name, one character per byte; undefined when `read` has to go on, or nothing is left. Throws as `read`. */
  take(): BytePath | undefined;
  /** Nothing is left to read or take. */
  readonly ended: boolean;
  close(): void;
}

/** Names held now; shared by the directories of one walk. */
export interface NameBudget {
  held: number;
}

export interface NamesOptions {
  /** At most so many names in memory. @default 16,384 for all of the budget's directories */
  readonly held?: number | undefined;
  /** An absolute directory where runs of names may wait. Left out: a larger directory comes in stretches, each in order. */
  readonly runsIn?: string | undefined;
}

/** Throws what `opendir` does. */
export function openNames(directory: BytePath, budget: NameBudget, options: NamesOptions = {}): Names {
  const { held = NAMES_HELD } = options;
  let { runsIn } = options;
  let runs: NameRuns | undefined;
  // Node's types know no latin1 here; its reader takes every Buffer encoding.
  const encoding = 'latin1' as BufferEncoding;
  const path = toSystemPath(directory) as string;
  let handle: Dir | undefined = opendirSync(path, { bufferSize: READ_AHEAD_ENTRIES, encoding });
  let names: BytePath[] = [];
  let at = 0;
  let sorted = false;
  const room = Math.max(Math.min(NAMES_HELD_MIN, held), held - budget.held);

  const close = (): void => {
    handle?.closeSync();
    handle = undefined;
  };
  const drop = (): void => {
    budget.held -= names.length;
    names = [];
    at = 0;
  };
  const sort = (): void => {
    // The key of what lies in a directory goes on with '/'.
    names.sort();
    sorted = true;
  };
  /** Whether the names in memory wait on disk now. */
  const setAside = (): boolean => {
    if (runsIn === undefined) return false;
    try {
      runs ??= openNameRuns(runsIn);
      runs.add(names.sort());
    } catch {
      // No room for them there: they come as a stretch of their own, as do all that follow.
      runsIn = undefined;
      return false;
    }
    drop();
    return true;
  };
  /** The names on disk, once those in memory are taken and no more can be read. */
  const takeFromRuns = (): BytePath | undefined => {
    if (handle || !runs) return undefined;
    try {
      const name = runs.take();
      if (name !== undefined) return name;
    } catch (error) {
      closeRuns();
      throw error;
    }
    closeRuns();
    return undefined;
  };
  const closeRuns = (): void => {
    runs?.close();
    runs = undefined;
  };

  return {
    read(entries) {
      if (sorted || !handle) return false;
      try {
        for (let count = 0; count < entries && names.length < room; count += 1) {
          const entry = handle.readSync();
          if (entry === null) {
            close();
            break;
          }
          names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
          budget.held += 1;
        }
      } catch (error) {
        // What was read stands.
        close();
        sort();
        throw error;
      }
      if (handle && (names.length < room || setAside())) return true;
      // The last names join the order of the runs; a directory without runs never leaves memory.
      if (!handle && runs) setAside();
      sort();
      return false;
    },
    take() {
      let name = names[at];
      if (name !== undefined) at += 1;
      else {
        if (names.length > 0) drop();
        name = takeFromRuns();
        if (name === undefined) sorted = false;
      }
      return name?.endsWith('/') ? name.slice(0, -1) : name;
    },
    get ended() {
      return handle === undefined && at >= names.length && runs === undefined;
    },
    close() {
      drop();
      close();
      closeRuns();
    },
  };
}

/** Names of a directory, at most a thousand, joined to its path. Throws what the file system says. */
export function firstNames(root: BytePath, directory: BytePath): BytePath[] {
  const names = openNames(`${root}/${directory}`, { held: 0 }, { held: NAMES_HELD_MIN });
  try {
    while (names.read(NAMES_HELD_MIN));
    const paths: BytePath[] = [];
    for (let name = names.take(); name !== undefined; name = names.take())
      paths.push(joinPath(directory, name));
    return paths;
  } finally {
    names.close();
  }
}
