// Remembering: what was sent, under which key and with what proof. A cache in SQLite: lost, it is rebuilt from the files
// and the bucket; wrong, it is found out before anything is deleted.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, FerryError, messageOf } from '../../core/errors.ts';
import type { UploadState } from '../../core/store.ts';
import type { BytePath } from '../paths.ts';
import type { FileStat } from '../walk.ts';
import type { Due, NewestQuery, NewestSlice } from './browse.ts';
import { dropClosing } from './closing.ts';
import { isBusy, isDamaged, RESERVE_BYTES } from './database.ts';
import { renewable } from './renewal.ts';
import { ledgerOver } from './rows.ts';

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
  /** When the row became proved, wall clock in milliseconds; 0 when it is not. */
  readonly provedAtMs: number;
  /** Content was hashed and the object listed by this very run: the only rows a delete may rest on. */
  readonly thisRun: boolean;
  /** max(mtime, ctime): the retention counts from here. */
  readonly arrivedMs: number;
}

export type NewRow = Omit<LedgerRow, 'thisRun' | 'arrivedMs' | 'provedAtMs'> & {
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
  /** Whether a row read before is still what `get` gives: the file may have been sent anew since, or the row forgotten. */
  stands(row: LedgerRow): boolean;
  /** Whether this very state of the file was sent, and proved. Far cheaper than `get`. */
  knows(path: BytePath, stat: FileStat): 'proved' | 'sent' | undefined;
  /** `knows` for a pass that asks in ascending order of paths, for that pass alone: cheap before the rows are read in. */
  knowsInPathOrder(): Ledger['knows'];
  /** Reads some rows into the memory that makes `knows` cheap; false when no more fit or are left. Everything works before, slower. */
  warmUp(): boolean;
  /** `knows` is cheap for every file and in any order. */
  readonly isWarm: boolean;
  /**
   * Remembers in the place of `previous`, which must be what `get` gives now; visible to `get` at once, on disk after the
   * next `commit`.
   */
  remember(row: NewRow, previous: LedgerRow | undefined): void;
  /** `previous` must be what `get` gives now. */
  forget(previous: LedgerRow): void;
  /** Unproved rows in key order (UTF-8) after a key. */
  unproved(afterKey: string, limit: number): LedgerRow[];
  /** Proved rows that arrived up to then, oldest arrival first, after a row. */
  proved(arrivedUpToMs: number, after: LedgerRow | undefined, limit: number): LedgerRow[];
  /** Unproved rows as far as memory holds them; `totals.unprovedFiles` says how many there are. */
  unprovedInMemory(): LedgerRow[];
  /** One bounded look for proved rows, newest arrival first. */
  newest(query: NewestQuery): NewestSlice;
  /** Proved rows that arrived up to then, counted to `max`. */
  due(arrivedUpToMs: number, max: number): Due;
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
  /** Called before each write: what must be on disk before the ledger says so. Must not throw. */
  readonly beforeCommit?: () => void;
}): Ledger {
  const { directory, source, store } = options;
  if (directory === undefined) return ledgerOver({});
  const file = join(directory, `${identityOf(source, store)}.sqlite`);
  const reserve = join(directory, 'reserve');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!existsSync(reserve)) writeFileSync(reserve, Buffer.alloc(RESERVE_BYTES));
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw cannotUse(directory, error);
  }
  const open = (): Ledger => ledgerOver({ file, reserve, beforeCommit: options.beforeCommit });
  const setAside = (error: unknown): void => {
    const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
    dropClosing(file);
    renameSync(file, aside);
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
    options.onDamaged?.(
      `The ledger was damaged (${messageOf(error)}); it is kept as ${aside} and a new one is built.`,
    );
  };
  try {
    return renewable(() => openOrRenew(open, setAside), setAside);
  } catch (error) {
    if (!isBusy(error)) throw cannotUse(directory, error);
    throw new FerryError(
      'config',
      `Another Ferry already moves ${source} to ${store} (it holds ${file})`,
      'Stop the other one, or give this one its own --state directory and source',
    );
  }
}

/** Names what belongs to one pair in a state directory that several may share. */
export function identityOf(source: string, store: string): string {
  return createHash('sha256').update(`${source}\n${store}`).digest('hex').slice(0, 16);
}

function openOrRenew(open: () => Ledger, setAside: (error: unknown) => void): Ledger {
  try {
    return open();
  } catch (error) {
    if (!isDamaged(error)) throw error;
    setAside(error);
    return open();
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
