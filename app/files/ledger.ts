// Remembering: what was sent, under which key and with what proof. A cache in SQLite: lost, it is rebuilt from the files
// and the bucket; wrong, it is found out before anything is deleted.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { errnoOf, FerryError, messageOf } from '../core/errors.ts';
import { compareKeys, type UploadState } from '../core/store.ts';
import { createKnownFiles } from './known.ts';
import type { BytePath } from './paths.ts';
import { sameStat } from './settle.ts';
import type { FileStat } from './walk.ts';

/**
 * How an object is known to hold the file's content.
 * - `put`: the server verified the SHA-256 of this very upload and a listing shows the ETag it answered with;
 * - `md5`: a listing shows size and ETag equal to what the file's content gives;
 * - `checksum`: the stored SHA-256 was read and equals the file's.
 */
export type Proof = 'put' | 'md5' | 'checksum';

export interface LedgerRow {
  readonly path: BytePath;
  readonly key: string;
  readonly stat: FileStat;
  /** Of the content; for multipart of the parts' digests joined. Hex. */
  readonly sha256: string;
  /** What a listing must show. */
  readonly etag: string;
  /** How the content was tied to the ETag. */
  readonly proof: Proof;
  /** A listing showed the object. */
  readonly proved: boolean;
  /** Content was hashed and the object listed by this very run: the only rows a delete may rest on. */
  readonly thisRun: boolean;
  /** max(mtime, ctime): the retention counts from here. */
  readonly arrivedMs: number;
}

export type NewRow = Omit<LedgerRow, 'thisRun' | 'arrivedMs'> & {
  /** Default true. False keeps a row of an earlier run one, though it was listed now: its content was not hashed again. */
  readonly thisRun?: boolean;
};

/** Of all rows, bytes of content. */
export interface LedgerTotals {
  files: number;
  bytes: number;
  unprovedFiles: number;
  unprovedBytes: number;
}

export interface Ledger {
  /** False when nothing was remembered at the start: the bucket must be asked before files are sent. */
  reconciled: boolean;
  /** False once the store was seen to give ETags that are not MD5s. Kept, because a listing alone cannot tell. */
  etagIsMd5: boolean;
  get(path: BytePath): LedgerRow | undefined;
  /** Whether this very state of the file was sent, and proved. Far cheaper than `get`. */
  knows(path: BytePath, stat: FileStat): 'proved' | 'sent' | undefined;
  /** Reads some rows into the memory that makes `knows` cheap; false when all are in. Everything works before, slower. */
  warmUp(): boolean;
  /** Remembers in the place of `previous`; visible to `get` at once, on disk after the next `commit`. */
  remember(row: NewRow, previous: LedgerRow | undefined): void;
  forget(previous: LedgerRow): void;
  /** Unproved rows in key order (UTF-8) after a key. */
  unproved(afterKey: string, limit: number): LedgerRow[];
  /** Proved rows that arrived up to then, oldest arrival first, after a row. */
  proved(arrivedUpToMs: number, after: LedgerRow | undefined, limit: number): LedgerRow[];
  readonly totals: Readonly<LedgerTotals>;
  /** Candidates of a reconcile, kept on disk so that a million of them cost no memory. */
  readonly candidates: Candidates;
  /** Unfinished multipart uploads, so that a kill does not start a large file anew. Written at once. */
  readonly uploads: Uploads;
  /** Writes what was remembered. Throws on a full disk; nothing is forgotten then, a later commit writes it. */
  commit(): void;
  /** Rows remembered and not yet on disk. */
  readonly uncommitted: number;
  close(): void;
}

export interface Candidate {
  readonly path: BytePath;
  readonly key: string;
  readonly stat: FileStat;
}

export interface Candidates {
  clear(): void;
  add(candidates: readonly Candidate[]): void;
  /** In key order after a key and path. */
  after(key: string, path: BytePath, limit: number): Candidate[];
}

export interface Uploads {
  /** Undefined when there is none for this very state of the file under this key. */
  get(path: BytePath, key: string, stat: FileStat): UploadState | undefined;
  set(path: BytePath, key: string, stat: FileStat, state: UploadState): void;
  delete(path: BytePath): void;
}

const WARM_UP_ROWS = 2_000;
/** Unproved rows held in memory; more, and they are read from disk, a good many at a time since they must be sorted. */
const UNPROVED_KEPT = 8_192;
const UNPROVED_READ = 10_000;

const SCHEMA_VERSION = 1;
const EARLIER_RUN = 0;

// Numbers are REAL: an inode number may have 64 bits, and an INTEGER beyond 2^53 could be written but not read back.
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE files (
    path TEXT PRIMARY KEY, key TEXT NOT NULL, size REAL NOT NULL, mtime REAL NOT NULL, ctime REAL NOT NULL,
    ino REAL NOT NULL, arrived REAL NOT NULL, sha256 TEXT NOT NULL, etag TEXT NOT NULL, proof TEXT NOT NULL,
    proved REAL NOT NULL, run REAL NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX files_proved ON files (arrived, path) WHERE proved = 1;
  CREATE TABLE candidates (
    key TEXT NOT NULL, path TEXT NOT NULL, size REAL NOT NULL, mtime REAL NOT NULL, ctime REAL NOT NULL,
    ino REAL NOT NULL, PRIMARY KEY (key, path)
  ) WITHOUT ROWID;
  CREATE TABLE uploads (path TEXT PRIMARY KEY, identity TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * Given up when the ledger's volume is full, so that proofs can still be written and files freed: the way out of a full
 * disk leads through the ledger.
 */
const RESERVE_BYTES = 2 * 2 ** 20;

/**
 * Opens the memory of one (source, store) pair. A damaged one is set aside and an empty one begun.
 * @throws FerryError `config` when another Ferry holds it or the directory cannot be written
 */
export function openLedger(options: {
  /** Directory; undefined keeps everything in memory (dry-run). */
  readonly directory: string | undefined;
  readonly source: string;
  readonly store: string;
  readonly onDamaged?: (sentence: string) => void;
}): Ledger {
  const { directory, source, store } = options;
  if (directory === undefined) return ledgerOver(openDatabase(':memory:'), undefined);
  const identity = createHash('sha256').update(`${source}\n${store}`).digest('hex').slice(0, 16);
  const file = join(directory, `${identity}.sqlite`);
  const reserve = join(directory, 'reserve');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!existsSync(reserve)) writeFileSync(reserve, Buffer.alloc(RESERVE_BYTES));
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw cannotUse(directory, error);
  }
  try {
    return ledgerOver(openDatabase(file), reserve);
  } catch (error) {
    if (isBusy(error)) {
      throw new FerryError(
        'config',
        `Another Ferry already moves ${source} to ${store} (it holds ${file})`,
        'Stop the other one, or give this one its own --state directory and source',
      );
    }
    if (!isDamaged(error)) throw cannotUse(directory, error);
    const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
    try {
      renameSync(file, aside);
    } catch (refusal) {
      throw cannotUse(directory, refusal);
    }
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
    options.onDamaged?.(
      `The ledger was damaged (${messageOf(error)}); it is kept as ${aside} and a new one is built.`,
    );
    return ledgerOver(openDatabase(file), reserve);
  }
}

function cannotUse(directory: string, error: unknown): FerryError {
  return new FerryError(
    'config',
    `The state directory ${directory} cannot be used: ${messageOf(error)}`,
    'Give --state a directory this user may write to, with a few MiB free',
    { cause: error },
  );
}

/** SQLite's own result codes, sqlite.org/rescode.html. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : 0;
}
const isBusy = (error: unknown): boolean => [5, 6].includes(sqliteCode(error));
/** SQLITE_ERROR, READONLY, CORRUPT, FORMAT and NOTADB: what a broken header or schema gives at the opening. */
const isDamaged = (error: unknown): boolean =>
  error instanceof DamagedError || [1, 8, 11, 24, 26].includes(sqliteCode(error));
/** SQLITE_FULL and SQLITE_IOERR. */
export const isLedgerFull = (error: unknown): boolean => [13, 10].includes(sqliteCode(error));

class DamagedError extends Error {}

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // One process only; without shared memory. A kill loses nothing, a power cut at most the last commits.
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
    db.exec('PRAGMA cache_size=-4096; PRAGMA temp_store=FILE; PRAGMA journal_size_limit=4194304;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version=${SCHEMA_VERSION}; COMMIT;`);
    else if (version !== SCHEMA_VERSION)
      throw new DamagedError(`its version is ${version}, not ${SCHEMA_VERSION}`);
    else {
      db.exec('BEGIN IMMEDIATE; COMMIT');
      const check = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
      if (check !== 'ok') throw new DamagedError(String(check));
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function ledgerOver(db: DatabaseSync, reserve: string | undefined): Ledger {
  // Tells this run's rows from earlier ones: a time and a random part, within 53 bits.
  const run = Date.now() * 4_096 + Math.floor(Math.random() * 4_096);
  const sql = {
    get: db.prepare('SELECT * FROM files WHERE path = ?'),
    put: db.prepare('INSERT OR REPLACE INTO files VALUES (?,?,?,?,?,?,?,?,?,?,?,?)'),
    prove: db.prepare('UPDATE files SET proved = 1, run = ? WHERE path = ?'),
    some: db.prepare(
      'SELECT path, size, mtime, ctime, ino, proved FROM files WHERE path > ? ORDER BY path LIMIT ?',
    ),
    drop: db.prepare('DELETE FROM files WHERE path = ?'),
    unproved: db.prepare('SELECT * FROM files WHERE proved = 0 AND key > ? ORDER BY key LIMIT ?'),
    proved: db.prepare(
      `SELECT * FROM files WHERE proved = 1 AND arrived <= ? AND (arrived, path) > (?, ?)
       ORDER BY arrived, path LIMIT ?`,
    ),
    totals: db.prepare(
      `SELECT COUNT(*) files, COALESCE(SUM(size),0) bytes, COALESCE(SUM(proved=0),0) unprovedFiles,
       COALESCE(SUM(CASE WHEN proved=0 THEN size END),0) unprovedBytes FROM files`,
    ),
    meta: db.prepare('SELECT value FROM meta WHERE name = ?'),
    setMeta: db.prepare('INSERT OR REPLACE INTO meta VALUES (?,?)'),
  };
  /** Not yet on disk; `undefined` is a row to forget. */
  const waiting = new Map<BytePath, LedgerRow | undefined>();
  /** Of `waiting`: rows on disk that only become proved. An update costs half of writing the row anew. */
  const onlyProved = new Set<BytePath>();
  const known = createKnownFiles();
  let warmedTo: BytePath | undefined = '';
  /** The unproved rows, as long as they fit: proving then reads nothing from disk. */
  const unprovedRows = new Map<BytePath, LedgerRow>();
  let inKeyOrder: LedgerRow[] | undefined;
  const stored = sql.totals.get() ?? {};
  const totals: LedgerTotals = {
    files: Number(stored.files),
    bytes: Number(stored.bytes),
    unprovedFiles: Number(stored.unprovedFiles),
    unprovedBytes: Number(stored.unprovedBytes),
  };
  const tally = (row: LedgerRow, sign: 1 | -1): void => {
    totals.files += sign;
    totals.bytes += sign * row.stat.size;
    if (row.proved) return;
    totals.unprovedFiles += sign;
    totals.unprovedBytes += sign * row.stat.size;
  };
  const setMeta = (name: string, value: boolean): boolean => {
    sql.setMeta.run(name, value ? 'yes' : 'no');
    return value;
  };
  let reconciled = sql.meta.get('reconciled')?.value === 'yes';
  let etagIsMd5 = sql.meta.get('etagIsMd5')?.value !== 'no';
  let reservedGone = false;
  if (totals.files === 0) {
    known.complete();
    warmedTo = undefined;
  }

  const toRow = (record: Record<string, unknown>): LedgerRow => ({
    path: String(record.path),
    key: String(record.key),
    stat: statOf(record),
    sha256: String(record.sha256),
    etag: String(record.etag),
    proof: record.proof === 'md5' || record.proof === 'checksum' ? record.proof : 'put',
    proved: record.proved === 1,
    thisRun: record.run === run,
    arrivedMs: Number(record.arrived),
  });

  const write = (): void => {
    db.exec('BEGIN');
    try {
      for (const [path, row] of waiting) {
        if (row === undefined) sql.drop.run(path);
        else if (onlyProved.has(path)) sql.prove.run(row.thisRun ? run : EARLIER_RUN, path);
        else {
          const { key, stat, sha256, etag, proof, proved, arrivedMs } = row;
          const { size, mtimeMs, ctimeMs, ino } = stat;
          sql.put.run(
            path,
            key,
            size,
            mtimeMs,
            ctimeMs,
            ino,
            arrivedMs,
            sha256,
            etag,
            proof,
            proved ? 1 : 0,
            row.thisRun ? run : EARLIER_RUN,
          );
        }
      }
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  const commit = (): void => {
    if (waiting.size > 0) {
      try {
        write();
      } catch (error) {
        if (!isLedgerFull(error) || reserve === undefined || reservedGone) throw error;
        reservedGone = true;
        rmSync(reserve, { force: true });
        write();
      }
      waiting.clear();
      onlyProved.clear();
    }
    if (reservedGone && reserve !== undefined) reservedGone = !restore(reserve);
  };

  const rows = (statement: StatementSync, ...parameters: (string | number)[]): LedgerRow[] => {
    commit();
    return statement.all(...parameters).map(toRow);
  };

  const get = (path: BytePath): LedgerRow | undefined => {
    if (waiting.has(path)) return waiting.get(path);
    const unproved = unprovedRows.get(path);
    if (unproved !== undefined || !known.mayHave(path)) return unproved;
    const record = sql.get.get(path);
    return record === undefined ? undefined : toRow(record);
  };

  return {
    get reconciled() {
      return reconciled;
    },
    set reconciled(value) {
      if (value !== reconciled) reconciled = setMeta('reconciled', value);
    },
    get etagIsMd5() {
      return etagIsMd5;
    },
    set etagIsMd5(value) {
      if (value !== etagIsMd5) etagIsMd5 = setMeta('etagIsMd5', value);
    },
    get,
    knows(path, stat) {
      const knowledge = known.look(path, stat);
      if (knowledge === 'same-proved') return 'proved';
      if (knowledge === 'same') return 'sent';
      if (knowledge !== 'unsure') return undefined;
      const row = get(path);
      return row && sameStat(row.stat, stat) ? (row.proved ? 'proved' : 'sent') : undefined;
    },
    warmUp() {
      if (warmedTo === undefined) return false;
      const rows = sql.some.all(warmedTo, WARM_UP_ROWS);
      for (const record of rows) {
        const path = String(record.path);
        // What was remembered since the start is in already, and newer.
        if (!waiting.has(path) && !known.mayHaveEntered(path))
          known.set(path, statOf(record), record.proved === 1);
        warmedTo = path;
      }
      if (rows.length === WARM_UP_ROWS) return true;
      warmedTo = undefined;
      known.complete();
      return false;
    },
    remember(row, previous) {
      if (previous) tally(previous, -1);
      const { path, key, stat, sha256, etag, proof, proved, thisRun = true } = row;
      const arrivedMs = Math.max(stat.mtimeMs, stat.ctimeMs);
      const remembered = { path, key, stat, sha256, etag, proof, proved, thisRun, arrivedMs };
      tally(remembered, 1);
      if (proved && previous && !waiting.has(path) && differsInProofOnly(previous, remembered))
        onlyProved.add(path);
      else onlyProved.delete(path);
      waiting.set(path, remembered);
      known.set(path, stat, proved);
      if (proved) unprovedRows.delete(path);
      else if (unprovedRows.size < UNPROVED_KEPT || unprovedRows.has(path))
        unprovedRows.set(path, remembered);
    },
    forget(previous) {
      tally(previous, -1);
      waiting.set(previous.path, undefined);
      onlyProved.delete(previous.path);
      known.delete(previous.path);
      unprovedRows.delete(previous.path);
    },
    unproved(afterKey, limit) {
      if (unprovedRows.size !== totals.unprovedFiles) {
        inKeyOrder = undefined;
        return rows(sql.unproved, afterKey, Math.max(limit, UNPROVED_READ));
      }
      if (afterKey === '' || !inKeyOrder) {
        inKeyOrder = [...unprovedRows.values()].sort((a, b) => compareKeys(a.key, b.key));
      }
      const start = firstAfter(inKeyOrder, afterKey);
      return inKeyOrder.slice(start, start + limit);
    },
    proved: (upToMs, after, limit) =>
      rows(sql.proved, upToMs, after?.arrivedMs ?? -Number.MAX_VALUE, after?.path ?? '', limit),
    totals,
    candidates: candidatesOver(db),
    uploads: uploadsOver(db),
    commit,
    get uncommitted() {
      return waiting.size;
    },
    close() {
      try {
        commit();
      } finally {
        db.close();
      }
    },
  };
}

function statOf(record: Record<string, unknown>): FileStat {
  return {
    size: Number(record.size),
    mtimeMs: Number(record.mtime),
    ctimeMs: Number(record.ctime),
    ino: Number(record.ino),
  };
}

function differsInProofOnly(before: LedgerRow, after: LedgerRow): boolean {
  return (
    before.key === after.key &&
    before.etag === after.etag &&
    before.sha256 === after.sha256 &&
    before.proof === after.proof &&
    sameStat(before.stat, after.stat)
  );
}

/** Where in rows of ascending keys the first one after `key` is. */
function firstAfter(rows: readonly LedgerRow[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(rows[middle]?.key ?? '', key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** True when the space could be taken back. */
function restore(reserve: string): boolean {
  try {
    writeFileSync(reserve, Buffer.alloc(RESERVE_BYTES));
    return true;
  } catch {
    rmSync(reserve, { force: true });
    return false;
  }
}

function candidatesOver(db: DatabaseSync): Candidates {
  const add = db.prepare('INSERT OR REPLACE INTO candidates VALUES (?,?,?,?,?,?)');
  const after = db.prepare('SELECT * FROM candidates WHERE (key, path) > (?, ?) ORDER BY key, path LIMIT ?');
  return {
    clear: () => db.exec('DELETE FROM candidates'),
    add(candidates) {
      db.exec('BEGIN');
      try {
        for (const { key, path, stat } of candidates) {
          add.run(key, path, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino);
        }
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    after: (key, path, limit) =>
      after.all(key, path, limit).map((record) => ({
        path: String(record.path),
        key: String(record.key),
        stat: statOf(record),
      })),
  };
}

const uploadSchema = z.object({
  uploadId: z.string(),
  parts: z.array(
    z.object({ number: z.number(), etag: z.string(), sha256: z.string(), sizeBytes: z.number() }),
  ),
});

function uploadsOver(db: DatabaseSync): Uploads {
  const get = db.prepare('SELECT state FROM uploads WHERE path = ? AND identity = ?');
  const set = db.prepare('INSERT OR REPLACE INTO uploads VALUES (?,?,?)');
  const drop = db.prepare('DELETE FROM uploads WHERE path = ?');
  const identityOf = (key: string, stat: FileStat): string =>
    JSON.stringify([key, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino]);
  return {
    get(path, key, stat) {
      const text = get.get(path, identityOf(key, stat))?.state;
      const parsed = typeof text === 'string' ? uploadSchema.safeParse(JSON.parse(text)) : undefined;
      return parsed?.success ? parsed.data : undefined;
    },
    set: (path, key, stat, state) => void set.run(path, identityOf(key, stat), JSON.stringify(state)),
    delete: (path) => void drop.run(path),
  };
}
