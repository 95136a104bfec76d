// `ferry verify`: receipts, listing and local files of one day, held against each other. What is compared lies in a
// temporary database, so a million files cost no more memory than ten.
import { lstatSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../core/clock.ts';
import { FerryError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import { openCursor } from '../merge.ts';
import { type BytePath, toBytePath, toText } from '../paths.ts';
import { startWalk } from '../walk.ts';
import { linesWithin, patientRetrier, type Span } from './read.ts';

/**
 * - `object-missing`: a receipt tells of an object that a complete listing does not show;
 * - `object-differs`: it is there with another size or ETag;
 * - `gone-unfreed`: the local file is gone and no receipt says that Ferry freed it;
 * - `no-receipt`: a local file of that day of which no receipt tells: not proved yet, or a receipt is missing.
 */
export type DifferenceKind = 'object-missing' | 'object-differs' | 'gone-unfreed' | 'no-receipt';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly file: string;
  readonly key: string;
  /** One sentence. */
  readonly what: string;
}

export interface Verified {
  readonly receipts: number;
  /** Of that day. */
  readonly proved: number;
  readonly freed: number;
  /** Local files of that day; undefined without a source. */
  readonly local: number | undefined;
  readonly differences: number;
}

export interface VerifyOptions {
  readonly store: Store;
  readonly day: Span;
  /** Until when receipts are read: a file of that day may have been freed later. */
  readonly untilMs: number;
  readonly source: string | undefined;
  readonly onReceipt: (key: string) => void;
  readonly onDifference: (difference: Difference) => void;
}

/** Rejects with StoreError when listing or receipts cannot be had whole: then nothing is said. */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const { store, day, source } = options;
  let receipts = 0;
  let differences = 0;
  const differ = (kind: DifferenceKind, file: string, key: string, what: string): void => {
    differences += 1;
    options.onDifference({ kind, file, key, what });
  };
  // '' is SQLite's name for a database in a temporary file that is gone with its connection.
  const db = new DatabaseSync('');
  try {
    const told = await gather(db, options, () => {
      receipts += 1;
    });
    await compareObjects(db, store, differ);
    const local = source === undefined ? undefined : await compareLocal(db, source, day, differ);
    return { receipts, ...told, local, differences };
  } finally {
    db.close();
  }
}

type Differ = (kind: DifferenceKind, file: string, key: string, what: string) => void;

async function gather(
  db: DatabaseSync,
  { store, day, untilMs, onReceipt }: VerifyOptions,
  count: () => void,
): Promise<{ proved: number; freed: number }> {
  db.exec(`
    PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-4096;
    CREATE TABLE proved (key TEXT PRIMARY KEY, file TEXT, bytes REAL, etag TEXT, that_day REAL) WITHOUT ROWID;
    CREATE TABLE freed (file TEXT, key TEXT, PRIMARY KEY (file, key)) WITHOUT ROWID;
  `);
  const addProved = db.prepare('INSERT OR REPLACE INTO proved VALUES (?,?,?,?,?)');
  const addFreed = db.prepare('INSERT OR REPLACE INTO freed VALUES (?,?)');
  const lines = linesWithin(store, { fromMs: day.fromMs, untilMs }, (key) => {
    count();
    onReceipt(key);
  });
  db.exec('BEGIN');
  for await (const line of lines) {
    const thatDay = Date.parse(line.at) < day.untilMs ? 1 : 0;
    if (line.event === 'proved') addProved.run(line.key, line.file, line.bytes, line.etag, thatDay);
    else addFreed.run(line.file, line.key);
  }
  db.exec('COMMIT; CREATE INDEX proved_file ON proved (file);');
  const number = (sql: string): number => Number(db.prepare(sql).get()?.n);
  return {
    proved: number('SELECT COUNT(*) n FROM proved WHERE that_day = 1'),
    freed: number('SELECT COUNT(*) n FROM proved JOIN freed USING (file, key) WHERE that_day = 1'),
  };
}

async function compareObjects(db: DatabaseSync, store: Store, differ: Differ): Promise<void> {
  const { signal } = new AbortController();
  const cursor = openCursor({ store, retry: patientRetrier(), signal, onListing() {} });
  // SQLite compares text by its UTF-8 bytes, as S3 orders keys.
  for (const row of db.prepare('SELECT * FROM proved WHERE that_day = 1 ORDER BY key').iterate()) {
    const [file, key] = [String(row.file), String(row.key)];
    const object = await cursor.find(key);
    if (object === undefined) differ('object-missing', file, key, `${key} is not in the listing any more`);
    else if (object.sizeBytes !== row.bytes || object.etag !== row.etag)
      differ(
        'object-differs',
        file,
        key,
        `${key} has ${object.sizeBytes} bytes and ETag ${object.etag}, the receipt says ${row.bytes} and ${row.etag}`,
      );
  }
}

async function compareLocal(db: DatabaseSync, source: string, day: Span, differ: Differ): Promise<number> {
  const root = toBytePath(source);
  const unfreed = db.prepare(
    'SELECT file, key FROM proved WHERE that_day = 1 AND NOT EXISTS (SELECT 1 FROM freed WHERE freed.file = proved.file)',
  );
  for (const row of unfreed.iterate()) {
    const [file, key] = [String(row.file), String(row.key)];
    if (isGone(source, file))
      differ('gone-unfreed', file, key, `${file} is gone here, and no receipt says that Ferry freed it`);
  }
  const known = db.prepare('SELECT 1 FROM proved WHERE file = ?');
  let local = 0;
  const { report, batches } = startWalk({
    root,
    clock: systemClock,
    cpuShare: 1,
    signal: new AbortController().signal,
    onAside() {},
  });
  for await (const batch of batches) {
    for (const { path, stat } of batch) {
      if (stat.mtimeMs < day.fromMs || stat.mtimeMs >= day.untilMs) continue;
      local += 1;
      const file = toText(path);
      if (known.get(file) === undefined)
        differ(
          'no-receipt',
          file,
          '',
          `${file} has no receipt: it is not proved yet, or a receipt is missing`,
        );
    }
  }
  if (!report.complete)
    throw new FerryError(
      'source',
      `Not everything below ${source} could be read: ${report.problems[0] ?? 'unknown'}`,
      'Run it as a user who may read the source; what was not read is unknown, not absent',
    );
  return local;
}

/** A name with bytes that are no UTF-8 is written with `%FF`, which may stand for two names: it is not judged. */
function isGone(source: string, file: string): boolean {
  if (/%[0-9A-F]{2}/.test(file)) return false;
  const path: BytePath | string = `${source}/${file}`;
  return lstatSync(path, { throwIfNoEntry: false }) === undefined;
}
