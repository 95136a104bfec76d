// The ledger's file: its tables, how it is opened, how damage and a full disk are recognized.
import { rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { errnoOf } from '../../core/errors.ts';
import { noteClosing, takeClosing } from './closing.ts';
import type { LedgerTotals } from './ledger.ts';

const SCHEMA_VERSION = 2;

// Numbers are REAL: an inode number may have 64 bits, and an INTEGER beyond 2^53 could be written but not read back.
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE files (
    path TEXT PRIMARY KEY, key TEXT NOT NULL, size REAL NOT NULL, mtime REAL NOT NULL, ctime REAL NOT NULL,
    ino REAL NOT NULL, arrived REAL NOT NULL, sha256 TEXT NOT NULL, etag TEXT NOT NULL, proof TEXT NOT NULL,
    proved REAL NOT NULL, proved_at REAL NOT NULL, run REAL NOT NULL
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
export const RESERVE_BYTES = 2 * 2 ** 20;

/** SQLite's own result codes, sqlite.org/rescode.html. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : 0;
}
export const isBusy = (error: unknown): boolean => [5, 6].includes(sqliteCode(error));
/**
 * SQLITE_ERROR, READONLY, CORRUPT, FORMAT and NOTADB: what a broken header or schema gives at the opening. And what Node
 * says of a whole number that JavaScript has none for: none was written.
 */
export const isDamaged = (error: unknown): boolean =>
  error instanceof DamagedError ||
  [1, 8, 11, 24, 26].includes(sqliteCode(error)) ||
  errnoOf(error) === 'ERR_OUT_OF_RANGE';
/** SQLITE_FULL and SQLITE_IOERR. */
export const isLedgerFull = (error: unknown): boolean => [13, 10].includes(sqliteCode(error));

export class DamagedError extends Error {}

export interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Of the rows, where the file is as it was closed: its pages are then not checked either. */
  readonly totals: LedgerTotals | undefined;
}

export function openDatabase(file: string): OpenedDatabase {
  const db = new DatabaseSync(file);
  let totals: LedgerTotals | undefined;
  try {
    // One process only; without shared memory. A kill loses nothing, a power cut at most the last commits.
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
    db.exec('PRAGMA cache_size=-2048; PRAGMA temp_store=FILE; PRAGMA journal_size_limit=4194304;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version=${SCHEMA_VERSION}; COMMIT;`);
    else if (version !== SCHEMA_VERSION)
      throw new DamagedError(`its version is ${version}, not ${SCHEMA_VERSION}`);
    else {
      db.exec('BEGIN IMMEDIATE; COMMIT');
      totals = takeClosing(file);
      const check = totals ? 'ok' : db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
      if (check !== 'ok') throw new DamagedError(String(check));
    }
    return { db, totals };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Closes it, all written and noted as it is left. */
export function closeDatabase(db: DatabaseSync, file: string, totals: LedgerTotals): void {
  try {
    // Into the file itself, which the closing then leaves as it is.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    noteClosing(file, totals);
  } catch {
    // A full disk: what was committed stays beside the file, and the next opening reads it all.
  } finally {
    db.close();
  }
}

/** True when the space could be taken back. */
export function takeReserve(reserve: string): boolean {
  try {
    writeFileSync(reserve, Buffer.alloc(RESERVE_BYTES));
    return true;
  } catch {
    rmSync(reserve, { force: true });
    return false;
  }
}
