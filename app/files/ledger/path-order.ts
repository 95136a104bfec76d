// The ledger asked in the order of its own rows: a pass that meets every file in path order reads the table once beside
// it, 0.8 us a file, where each single question costs 2.5, out of that order up to 6, and needs no memory of all that is
// known.
import type { DatabaseSync } from 'node:sqlite';
import type { BytePath } from '../paths.ts';
import { sameStat } from '../settle.ts';
import type { FileStat } from '../walk.ts';
import { DamagedError } from './database.ts';
import type { Ledger } from './ledger.ts';

/** Path, size, mtime, ctime, inode, and 1 where proved. */
type StateRow = readonly [BytePath, number, number, number, number, number];

/** Reads states of known files in order of their paths, from after a path on. @throws DamagedError */
export type ReadStates = (after: BytePath, limit: number) => readonly StateRow[];

export function statesOver(db: DatabaseSync): ReadStates {
  const read = db.prepare(
    'SELECT path, size, mtime, ctime, ino, proved FROM files WHERE path > ? ORDER BY path LIMIT ?',
  );
  // An object for each row costs twice the rest of it: half a second for a million.
  read.setReturnArrays(true);
  return (after, limit) => {
    // SQLite gives arrays of its values' types, as the columns are declared.
    const rows = read.all(after, limit) as unknown as StateRow[];
    let last = after;
    for (const [path] of rows) {
      // Out of order it would never end; and where a damaged row has no path at all, nothing is greater.
      if (!(path > last)) throw new DamagedError('its paths are out of order');
      last = path;
    }
    return rows;
  };
}

/** Answers as `Ledger.knows`, as of when the stretch of rows was read; cheap while the paths asked for ascend. */
export type Knows = Ledger['knows'];

const ROWS_AT_ONCE = 1_000;

export interface PathOrderPorts {
  readonly read: ReadStates;
  /** Answers for what the rows read do not show as known: it may have been remembered since, or never. */
  readonly ask: Knows;
  /** Whether the row on disk is not what the ledger holds. */
  readonly isUncommitted: (path: BytePath) => boolean;
  /** Moves with every row that is forgotten: what was read before may then show too much. */
  readonly forgotten: () => number;
}

/** Throws DamagedError. */
export function knowsInPathOrder({ read, ask, isUncommitted, forgotten }: PathOrderPorts): Knows {
  let rows: readonly StateRow[] = [];
  let at = 0;
  let lastRead = '';
  let ended = false;
  let lastAsked = '';
  let forgottenBefore = forgotten();

  const readOn = (): void => {
    rows = read(lastRead, ROWS_AT_ONCE);
    at = 0;
    ended = rows.length < ROWS_AT_ONCE;
    lastRead = rows.at(-1)?.[0] ?? lastRead;
  };

  return (path, stat) => {
    if (path < lastAsked || isUncommitted(path)) return ask(path, stat);
    if (forgotten() !== forgottenBefore) {
      forgottenBefore = forgotten();
      lastRead = lastAsked;
      rows = [];
      at = 0;
      ended = false;
    }
    lastAsked = path;
    for (;;) {
      const row = rows[at];
      if (row === undefined) {
        if (ended) break;
        readOn();
      } else if (row[0] === path) {
        if (!isState(row, stat)) break;
        at += 1;
        return row[5] === 1 ? 'proved' : 'sent';
      } else if (row[0] > path) break;
      else at += 1;
    }
    return ask(path, stat);
  };
}

const isState = ([, size, mtimeMs, ctimeMs, ino]: StateRow, stat: FileStat): boolean =>
  sameStat({ size, mtimeMs, ctimeMs, ino }, stat);
