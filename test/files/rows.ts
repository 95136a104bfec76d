// Files on disk and the ledger's rows about them, as the mover would have made them.
import { lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareKeys } from '../../app/core/store.ts';
import type { Ledger, LedgerRow, NewRow } from '../../app/files/ledger/ledger.ts';
import { openLedger } from '../../app/files/ledger/ledger.ts';
import type { FileStat, FoundFile } from '../../app/files/walk.ts';
import { type ArrayStore, md5, sha256 } from './array-store.ts';

/** A file that stood still since long ago. */
export function writeOld(
  directory: string,
  path: string,
  body: string | Buffer,
  atS = 1_700_000_000,
): FoundFile {
  const absolute = join(directory, path);
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, body);
  utimesSync(absolute, atS, atS);
  return found(directory, path);
}

/** As a walk meets it now. */
export function found(directory: string, path: string): FoundFile {
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(join(directory, path));
  return { path, stat: { size, mtimeMs, ctimeMs, ino } };
}

/** The row of a file whose content went to `key`. */
export function rowFor(file: FoundFile, key: string, body: Buffer, proved: boolean): NewRow {
  return {
    path: file.path,
    key,
    stat: file.stat,
    sha256: sha256(body),
    etag: md5(body),
    proof: 'put',
    proved,
  };
}

/** A row about no real file. */
export function rowOf(path: string, more: Partial<NewRow> & { readonly arrivedMs?: number } = {}): NewRow {
  const { arrivedMs = 1_000, ...rest } = more;
  const stat: FileStat = { size: 10, mtimeMs: arrivedMs, ctimeMs: arrivedMs, ino: 1 };
  return { path, key: `key/${path}`, stat, sha256: 'aa', etag: 'bb', proof: 'put', proved: false, ...rest };
}

/** A file, its object and its row; content is the path's own. */
export function moved(
  ledger: Ledger,
  store: ArrayStore,
  directory: string,
  path: string,
  atS?: number,
): FoundFile {
  const body = Buffer.from(`content of ${path}`);
  const file = writeOld(directory, path, body, atS);
  store.place(path, body);
  ledger.remember(rowFor(file, path, body, true), undefined);
  return file;
}

export function openIn(directory: string | undefined, onDamaged?: (sentence: string) => void): Ledger {
  const place = { directory, source: '/source', store: 'array' };
  return openLedger(onDamaged === undefined ? place : { ...place, onDamaged });
}

/** Everything unproved, as a pass of proving asks for it. */
export function allUnproved(ledger: Ledger, limit = 1_000): LedgerRow[] {
  const all: LedgerRow[] = [];
  for (let after = ''; ; ) {
    const rows = ledger.unproved(after, limit);
    const last = rows.at(-1);
    if (!last) return all;
    all.push(...rows);
    if (compareKeys(last.key, after) <= 0) throw new Error('The pages do not advance.');
    after = last.key;
  }
}

/** Everything proved, oldest arrival first, as freeing asks for it. */
export function allProved(ledger: Ledger, upToMs = Infinity, limit = 500): LedgerRow[] {
  const all: LedgerRow[] = [];
  for (let after: LedgerRow | undefined; ; ) {
    const rows = ledger.proved(upToMs, after, limit);
    const last = rows.at(-1);
    if (!last) return all;
    if (after && last.arrivedMs < after.arrivedMs) throw new Error('The pages do not advance.');
    after = last;
    all.push(...rows);
  }
}
