// One directory's names in order, as far as memory goes: keys then reach the ledger and the listing in their own order.
import { type Dir, opendirSync } from 'node:fs';
import { type BytePath, joinPath, toSystemPath } from './paths.ts';

/**
 * Names held at a time, of all directories open one below the other. In the order a file system gives them (by hash)
 * each row of the ledger lands on another page and each proof lists the whole prefix: sorted, 50,000 files cost a third
 * less. A larger directory comes in stretches, each in order.
 */
const NAMES_HELD = 65_536;
const NAMES_HELD_MIN = 1_024;
const READ_AHEAD_ENTRIES = 1_024;

export interface Names {
  /** Reads on, at most so many entries; false when names can be taken, or none are left. Throws what the system says. */
  read(entries: number): boolean;
  /** The next name, one character per byte; undefined when `read` has to go on, or nothing is left. */
  take(): BytePath | undefined;
  /** Nothing is left to read or take. */
  readonly ended: boolean;
  close(): void;
}

/** Names held now; shared by the directories of one walk. */
export interface NameBudget {
  held: number;
}

/** @param held at most how many names, default 65,536 for all of the budget's directories. Throws what `opendir` does. */
export function openNames(directory: BytePath, budget: NameBudget, held = NAMES_HELD): Names {
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
  const sort = (): void => {
    // The key of what lies in a directory goes on with '/'.
    names.sort();
    sorted = true;
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
      if (handle && names.length < room) return true;
      sort();
      return false;
    },
    take() {
      const name = names[at];
      if (name !== undefined) {
        at += 1;
        return name.endsWith('/') ? name.slice(0, -1) : name;
      }
      budget.held -= names.length;
      names = [];
      at = 0;
      sorted = false;
      return undefined;
    },
    get ended() {
      return handle === undefined && at >= names.length;
    },
    close() {
      budget.held -= names.length;
      names = [];
      close();
    },
  };
}

/** Names of a directory, at most a thousand, joined to its path. Throws what the file system says. */
export function firstNames(root: BytePath, directory: BytePath): BytePath[] {
  const names = openNames(`${root}/${directory}`, { held: 0 }, NAMES_HELD_MIN);
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
