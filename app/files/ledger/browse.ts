// Looking through the proved rows for people: newest first, filtered by name, in slices so short that the mover's own
// work does not wait. It rests on the index that freeing has anyway: no write costs more for it.
import type { DatabaseSync } from 'node:sqlite';
import type { BytePath } from '../paths.ts';
import { isLedgerFull } from './database.ts';

/** Where a row stands among all, newest arrival first. */
export interface Place {
  readonly arrivedMs: number;
  readonly path: BytePath;
}

export interface NewestQuery {
  /** Rows that come after this place; undefined from the newest on. */
  readonly after: Place | undefined;
  /** Oldest arrival wanted. */
  readonly sinceMs: number;
  /** Part of the path in any case (of ASCII letters), as bytes; '' for all. */
  readonly name: BytePath;
  readonly limit: number;
}

export interface NewestSlice {
  readonly places: readonly Place[];
  /** Where the next slice goes on; undefined when everything was looked at. */
  readonly next: Place | undefined;
}

/** Index entries looked at in one slice when a name is asked for: about 5 ms. */
const SLICE_ROWS = 10_000;

const NEWER = 'proved = 1 AND (arrived, path) < (?, ?)';
const INDEX = 'FROM files INDEXED BY files_proved WHERE';
const ORDER = 'ORDER BY arrived DESC, path DESC';

/** Of the proved rows that arrived up to a time: how many, counted to `max`, and when the oldest of all arrived. */
export interface Due {
  readonly files: number;
  readonly oldestMs: number | undefined;
}

export interface LedgerBrowser {
  newest(query: NewestQuery): NewestSlice;
  due(arrivedUpToMs: number, max: number): Due;
}

export function browserOver(db: DatabaseSync, commit: () => void): LedgerBrowser {
  const all = db.prepare(`SELECT arrived, path ${INDEX} ${NEWER} AND arrived >= ? ${ORDER} LIMIT ?`);
  const edge = db.prepare(
    `SELECT arrived, path ${INDEX} ${NEWER} AND arrived >= ? ${ORDER} LIMIT 1 OFFSET ${SLICE_ROWS - 1}`,
  );
  const named = db.prepare(
    `SELECT arrived, path ${INDEX} ${NEWER} AND (arrived, path) >= (?, ?) AND instr(lower(path), ?) > 0 ${ORDER} LIMIT ?`,
  );
  const count = db.prepare(
    `SELECT COUNT(*) files FROM (SELECT 1 ${INDEX} proved = 1 AND arrived <= ? LIMIT ?)`,
  );
  const oldest = db.prepare(`SELECT arrived ${INDEX} proved = 1 ORDER BY arrived, path LIMIT 1`);
  const placeOf = (record: Record<string, unknown>): Place => ({
    arrivedMs: Number(record.arrived),
    path: String(record.path),
  });
  const writeOut = (): void => {
    try {
      commit();
    } catch (error) {
      // On a full disk people see what is written; each row is asked again for what waits to be.
      if (!isLedgerFull(error)) throw error;
    }
  };
  const newest = ({ after, sinceMs, name, limit }: NewestQuery): NewestSlice => {
    writeOut();
    const from = [after?.arrivedMs ?? Number.MAX_VALUE, after?.path ?? ''] as const;
    if (name === '') {
      const places = all.all(...from, sinceMs, limit).map(placeOf);
      return { places, next: places.length === limit ? places.at(-1) : undefined };
    }
    const found = edge.get(...from, sinceMs);
    const end = found === undefined ? undefined : placeOf(found);
    const to = [end?.arrivedMs ?? sinceMs, end?.path ?? ''] as const;
    const needle = name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
    const places = named.all(...from, ...to, needle, limit).map(placeOf);
    return { places, next: places.length === limit ? places.at(-1) : end };
  };
  return {
    newest,
    due(arrivedUpToMs, max) {
      writeOut();
      const first = oldest.get()?.arrived;
      return {
        files: Number(count.get(arrivedUpToMs, max)?.files),
        oldestMs: typeof first === 'number' ? first : undefined,
      };
    },
  };
}
