// The ledger at work: rows wait in memory for the next commit, and what is asked most often never reaches the disk.
import { rmSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { compareKeys } from '../../core/store.ts';
import type { BytePath } from '../paths.ts';
import { arrivedMs, sameStat } from '../settle.ts';
import type { FileStat } from '../walk.ts';
import { browserOver } from './browse.ts';
import { closeDatabase, DamagedError, isLedgerFull, openDatabase, takeReserve } from './database.ts';
import { createKnownFiles } from './known.ts';
import type { Ledger, LedgerRow, LedgerTotals } from './ledger.ts';
import { knowsInPathOrder, statesOver } from './path-order.ts';
import { candidatesOver, uploadsOver } from './tables.ts';
import { createUnprovedRows } from './unproved-rows.ts';

const WARM_UP_ROWS = 1_000;

/** The run of rows whose content no run since the start has hashed. */
const EARLIER_RUN = 0;

export interface LedgerFile {
  /** Left out: all is kept in memory. */
  readonly file?: string;
  /** The file given up when the ledger's volume is full. */
  readonly reserve?: string | undefined;
  readonly beforeCommit?: (() => void) | undefined;
}

/** The ledger in a database, which it opens. */
export function ledgerOver({ file, reserve, beforeCommit }: LedgerFile): Ledger {
  const { db, totals: noted } = openDatabase(file ?? ':memory:');
  // Tells this run's rows from earlier ones: a time and a random part, within 53 bits.
  const run = Date.now() * 4_096 + Math.floor(Math.random() * 4_096);
  const sql = prepare(db);
  const states = statesOver(db);
  /** Not yet on disk; `undefined` is a row to forget. */
  let waiting = new Map<BytePath, LedgerRow | undefined>();
  /** Of `waiting`: rows on disk that only become proved. An update costs half of writing the row anew. */
  let onlyProved = new Set<BytePath>();
  const known = createKnownFiles();
  let warmedTo: BytePath | undefined = '';
  let forgotten = 0;
  const unprovedRows = createUnprovedRows();
  const totals = noted ?? counted(sql.totals.get() ?? {});
  const tally = (row: LedgerRow, sign: 1 | -1): void => {
    totals.files += sign;
    totals.bytes += sign * row.stat.size;
    if (row.proved) return;
    totals.unprovedFiles += sign;
    totals.unprovedBytes += sign * row.stat.size;
  };
  const waitingMeta = new Map<'reconciled' | 'etagIsMd5', boolean>();
  let reconciled = sql.meta.get('reconciled')?.value === 'yes';
  let etagIsMd5 = sql.meta.get('etagIsMd5')?.value !== 'no';
  let reservedGone = false;
  if (totals.files === 0) {
    known.complete();
    warmedTo = undefined;
  }

  let unprovedIndexed = false;
  /** Only when the unproved rows outgrow memory: keeping this index costs 4 us for each file. */
  const indexUnproved = (): void => {
    if (unprovedIndexed) return;
    commit();
    db.exec('CREATE INDEX IF NOT EXISTS files_unproved ON files (key) WHERE proved = 0');
    unprovedIndexed = true;
  };

  /** Of the columns as the table declares them. */
  const toRow = (columns: Columns): LedgerRow => {
    const [path, key, size, mtime, ctime, ino, arrived, sha256, etag, proof, proved, provedAt, ofRun] =
      columns;
    return {
      path: String(path),
      key: String(key),
      stat: { size: Number(size), mtimeMs: Number(mtime), ctimeMs: Number(ctime), ino: Number(ino) },
      sha256: String(sha256),
      etag: String(etag),
      proof: proof === 'md5' || proof === 'checksum' ? proof : 'put',
      proved: proved === 1,
      provedAtMs: Number(provedAt),
      thisRun: ofRun === run,
      arrivedMs: Number(arrived),
    };
  };

  const write = (): void => {
    let dropped = 0;
    db.exec('BEGIN');
    try {
      for (const [path, row] of waiting) {
        if (row === undefined) {
          sql.drop.run(path);
          dropped += 1;
        } else if (onlyProved.has(path)) sql.prove.run(row.provedAtMs, row.thisRun ? run : EARLIER_RUN, path);
        else {
          const { key, stat, sha256, etag, proof, proved, provedAtMs, arrivedMs } = row;
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
            provedAtMs,
            row.thisRun ? run : EARLIER_RUN,
          );
        }
      }
      for (const [name, value] of waitingMeta) sql.setMeta.run(name, value ? 'yes' : 'no');
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
    // Rows read before this still showed them.
    forgotten += dropped;
  };

  const commit = (): void => {
    if (waiting.size + waitingMeta.size > 0) {
      beforeCommit?.();
      try {
        write();
      } catch (error) {
        if (!isLedgerFull(error) || reserve === undefined || reservedGone) throw error;
        reservedGone = true;
        rmSync(reserve, { force: true });
        write();
      }
      // New ones: a Map that is cleared keeps its old table tied to the next, and with it every row it ever held, until the
      // next full collection.
      waiting = new Map();
      onlyProved = new Set();
      waitingMeta.clear();
    }
    if (reservedGone && reserve !== undefined) reservedGone = !takeReserve(reserve);
  };

  const rows = (statement: StatementSync, ...parameters: (string | number)[]): LedgerRow[] => {
    commit();
    return (statement.all(...parameters) as unknown as Columns[]).map(toRow);
  };

  const browser = browserOver(db, commit);

  /** Of the proved rows read last, those that nothing touched since. */
  let standing = new Map<BytePath, LedgerRow>();
  const touched = (path: BytePath): void => {
    if (standing.size > 0) standing.delete(path);
  };

  const get = (path: BytePath): LedgerRow | undefined => {
    if (waiting.has(path)) return waiting.get(path);
    const unproved = unprovedRows.get(path);
    if (unproved !== undefined || !known.mayHave(path)) return unproved;
    const columns = sql.get.get(path) as unknown as Columns | undefined;
    return columns === undefined ? undefined : toRow(columns);
  };

  const knows = (path: BytePath, stat: FileStat): 'proved' | 'sent' | undefined => {
    const knowledge = known.look(path, stat);
    if (knowledge === 'same-proved') return 'proved';
    if (knowledge === 'same') return 'sent';
    if (knowledge !== 'unsure') return undefined;
    if (waiting.has(path)) {
      const row = waiting.get(path);
      return row && sameStat(row.stat, stat) ? (row.proved ? 'proved' : 'sent') : undefined;
    }
    const found = sql.state.get(path, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino)?.proved;
    return found === undefined ? undefined : found === 1 ? 'proved' : 'sent';
  };

  return {
    get reconciled() {
      return reconciled;
    },
    set reconciled(value) {
      if (value !== reconciled) waitingMeta.set('reconciled', value);
      reconciled = value;
    },
    get etagIsMd5() {
      return etagIsMd5;
    },
    set etagIsMd5(value) {
      if (value !== etagIsMd5) waitingMeta.set('etagIsMd5', value);
      etagIsMd5 = value;
    },
    get,
    stands(row) {
      // Most often nothing touched it: that spares reading it once more, 10 us.
      if (standing.get(row.path) === row) return true;
      const now = get(row.path);
      return now !== undefined && now.proved === row.proved && differsInProofOnly(now, row);
    },
    knows,
    knowsInPathOrder() {
      if (known.isComplete) return knows;
      // Most often nothing waits: then a million paths need not be hashed.
      const isUncommitted = (path: BytePath): boolean => waiting.size > 0 && waiting.has(path);
      return knowsInPathOrder({ read: states, ask: knows, isUncommitted, forgotten: () => forgotten });
    },
    warmUp() {
      if (warmedTo === undefined) return false;
      const rows = states(warmedTo, WARM_UP_ROWS);
      for (const [path, size, mtimeMs, ctimeMs, ino, proved] of rows) {
        // What waits to be written is in already, and newer.
        if (!waiting.has(path)) known.set(path, { size, mtimeMs, ctimeMs, ino }, proved === 1);
        warmedTo = path;
      }
      if (rows.length === WARM_UP_ROWS && !known.isFull) return true;
      if (rows.length < WARM_UP_ROWS) known.complete();
      warmedTo = undefined;
      return false;
    },
    get isWarm() {
      return known.isComplete;
    },
    remember(row, previous) {
      if (previous) tally(previous, -1);
      touched(row.path);
      const { path, key, stat, sha256, etag, proof, proved, thisRun = true } = row;
      const remembered = {
        path,
        key,
        stat,
        sha256,
        etag,
        proof,
        proved,
        provedAtMs: provedAt(proved, previous),
        thisRun,
        arrivedMs: arrivedMs(stat),
      };
      tally(remembered, 1);
      if (proved && previous && !waiting.has(path) && differsInProofOnly(previous, remembered))
        onlyProved.add(path);
      else onlyProved.delete(path);
      waiting.set(path, remembered);
      if (previous && !sameStat(previous.stat, stat)) known.delete(path, previous.stat);
      known.set(path, stat, proved);
      if (proved) unprovedRows.delete(path);
      else unprovedRows.set(remembered);
    },
    forget(previous) {
      tally(previous, -1);
      touched(previous.path);
      forgotten += 1;
      waiting.set(previous.path, undefined);
      onlyProved.delete(previous.path);
      known.delete(previous.path, previous.stat);
      unprovedRows.delete(previous.path);
    },
    unproved(afterKey, limit) {
      if (unprovedRows.size === totals.unprovedFiles) return unprovedRows.after(afterKey, limit);
      unprovedRows.left();
      indexUnproved();
      const page = rows(sql.unproved, afterKey, limit);
      // Two rows may share a key; the first one must still come after the place asked for.
      if (page[0]?.key === afterKey) throw new DamagedError('its rows are out of order');
      return inOrder(page, afterKey, (last, { key }) => (compareKeys(last, key) <= 0 ? key : undefined));
    },
    proved(upToMs, after, limit) {
      const page = rows(sql.proved, upToMs, after?.arrivedMs ?? -Number.MAX_VALUE, after?.path ?? '', limit);
      standing = new Map(page.map((row) => [row.path, row]));
      return inOrder(page, after, (last, row) => (!last || arrivedBefore(last, row) ? row : undefined));
    },
    unprovedInMemory: () => unprovedRows.all(),
    newest: browser.newest,
    due: browser.due,
    totals,
    candidates: candidatesOver(db),
    uploads: uploadsOver(db),
    commit,
    get uncommitted() {
      return waiting.size + waitingMeta.size;
    },
    close() {
      try {
        commit();
      } catch (error) {
        db.close();
        throw error;
      }
      if (file === undefined) db.close();
      else closeDatabase(db, file, totals);
    },
  };
}

function counted(record: Record<string, unknown>): LedgerTotals {
  return {
    files: Number(record.files),
    bytes: Number(record.bytes),
    unprovedFiles: Number(record.unprovedFiles),
    unprovedBytes: Number(record.unprovedBytes),
  };
}

/** A row that was proved and still is keeps its time. */
function provedAt(proved: boolean, previous: LedgerRow | undefined): number {
  if (!proved) return 0;
  return previous?.proved ? previous.provedAtMs : Date.now();
}

/** A row as SQLite gives it; a damaged one may hold anything. */
type Columns = readonly SQLOutputValue[];

/** A statement that gives rows of the table as arrays: an object of thirteen names costs 2 us more. */
function prepareRows(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

/** Every statement the rows need. */
function prepare(db: DatabaseSync) {
  return {
    get: prepareRows(db, 'SELECT * FROM files WHERE path = ?'),
    // One number is handed over where a row of thirteen values costs twice as much.
    state: db.prepare(
      'SELECT proved FROM files WHERE path = ? AND size = ? AND mtime = ? AND ctime = ? AND ino = ?',
    ),
    put: db.prepare('INSERT OR REPLACE INTO files VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)'),
    prove: db.prepare('UPDATE files SET proved = 1, proved_at = ?, run = ? WHERE path = ?'),
    drop: db.prepare('DELETE FROM files WHERE path = ?'),
    unproved: prepareRows(db, 'SELECT * FROM files WHERE proved = 0 AND key > ? ORDER BY key LIMIT ?'),
    proved: prepareRows(
      db,
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
}

/**
 * The page, once it is seen to go on from where it was asked. A damaged row may stand in another place than its own
 * words say, and asking on after it would never end. @throws DamagedError
 */
function inOrder<Place>(
  page: LedgerRow[],
  after: Place,
  next: (last: Place, row: LedgerRow) => Place | undefined,
): LedgerRow[] {
  let last = after;
  for (const row of page) {
    const place = next(last, row);
    if (place === undefined) throw new DamagedError('its rows are out of order');
    last = place;
  }
  return page;
}

function arrivedBefore(a: LedgerRow, b: LedgerRow): boolean {
  return a.arrivedMs < b.arrivedMs || (a.arrivedMs === b.arrivedMs && a.path < b.path);
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
