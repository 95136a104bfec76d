// Hints: the kernel tells at once which names in a directory moved. Only a hint: events get lost, a network share sends
// none, and what matters is found by the walk alone. They make a new file known within a second where a walk over half a
// million retained ones, at its share of a core, comes every few minutes.
import { type FSWatcher, watch } from 'node:fs';
import { type BytePath, joinPath, toSystemPath } from './paths.ts';

export interface Hints {
  /**
   * Something arrived in this directory lately: it is watched from here on, in the place of the one longest quiet. True
   * when it was not watched before: what it holds already is told by nobody.
   */
  near(directory: BytePath): boolean;
  /** The paths that were told of since the last time, each once: new, changed, renamed, gone, or directories. */
  take(): BytePath[];
  /** A path that was told of was a file to be moved. */
  brought(): void;
  /** A walk met such a file first. A flood counts as well: what it held is told of by nobody. */
  missed(): void;
  /** Whether since the last time asked it brought files and missed none: a walk may then take its time. */
  served(): boolean;
  close(): void;
}

/** Vendors write into one directory, or one for each day or hour. */
const WATCHED_MAX = 32;
/** So many events between two looks are a burst, or a large file that grows: each costs 5 us, and a walk does better. */
const EVENTS_MAX = 4_096;

/** @param root the source as bytes, absolute */
export function createHints(root: BytePath, eventsMax = EVENTS_MAX): Hints {
  const watchers = new Map<BytePath, FSWatcher>();
  let paths = new Set<BytePath>();
  let events = 0;
  let broughtSome = false;
  let missedSome = false;
  let closed = false;

  const drop = (directory: BytePath): void => {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  };
  const dropAll = (): void => {
    for (const directory of [...watchers.keys()]) drop(directory);
  };
  const arm = (directory: BytePath): boolean => {
    const absolute = directory === '' ? root : `${root}/${directory}`;
    try {
      const watcher = watch(toSystemPath(absolute), { persistent: false, encoding: 'buffer' }, (_, name) => {
        events += 1;
        if (events > eventsMax) {
          missedSome = true;
          return dropAll();
        }
        if (name !== null) paths.add(joinPath(directory, name.toString('latin1')));
      });
      watcher.on('error', () => {
        missedSome = true;
        drop(directory);
      });
      watchers.set(directory, watcher);
      return true;
    } catch {
      // No watches left, no such directory, a file system without them: the walk finds what there is.
      return false;
    }
  };

  return {
    near(directory) {
      const known = watchers.get(directory);
      if (known) {
        watchers.delete(directory);
        watchers.set(directory, known);
        return false;
      }
      if (closed || events > eventsMax) return false;
      const [quietest] = watchers.keys();
      if (watchers.size >= WATCHED_MAX && quietest !== undefined) drop(quietest);
      return arm(directory);
    },
    take() {
      const taken = [...paths];
      paths = new Set();
      events = 0;
      return taken;
    },
    brought() {
      broughtSome = true;
    },
    missed() {
      missedSome = true;
    },
    served() {
      const did = broughtSome && !missedSome;
      broughtSome = false;
      missedSome = false;
      return did;
    },
    close() {
      closed = true;
      dropAll();
    },
  };
}
