// The source as people look at it: every file with where it stands, newest first, from what the mover has in memory and
// in its ledger. Nothing here changes anything, and nothing is done unless somebody asks.
import { setImmediate as turn } from 'node:timers/promises';
import { monotonicMs } from '../core/clock.ts';
import type { Place } from './ledger/browse.ts';
import type { LedgerRow, Proof } from './ledger/ledger.ts';
import type { Parts } from './parts.ts';
import type { BytePath } from './paths.ts';
import { arrivedMs, sameStat } from './settle.ts';
import { type FileStat, type FoundFile, lookAgain } from './walk.ts';

/**
 * `waiting`: not in the store yet. `sent`: acknowledged, not yet proved. `failing`: the last attempt failed; asked for,
 * it also finds proved files whose delete is refused.
 */
export type FileState = 'waiting' | 'sent' | 'proved' | 'failing';
export const FILE_STATES: readonly FileState[] = ['waiting', 'sent', 'proved', 'failing'];

/** One local file. */
export interface LocalFile {
  readonly path: BytePath;
  readonly stat: FileStat;
  readonly arrivedMs: number;
  readonly state: FileState;
  /** Of a file that fails, or whose delete is refused. */
  readonly trouble?: { readonly reason: string; readonly message: string; readonly nextMs: number };
  /** Of a file that was sent. */
  readonly object?: {
    readonly key: string;
    readonly sha256: string;
    readonly etag: string;
    readonly proof: Proof;
    /** Undefined while it is not proved. */
    readonly provedAtMs: number | undefined;
  };
  /** When it may be freed at the earliest; undefined while it is not proved, and when files are kept. */
  readonly goesAtMs?: number;
}

export interface BrowseQuery {
  /** Undefined for all. */
  readonly state: FileState | undefined;
  /** Part of the path, as bytes; '' for all. */
  readonly name: BytePath;
  /** Arrival, both included. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Goes on after this file. */
  readonly after: Place | undefined;
  readonly limit: number;
}

export interface BrowseAnswer {
  readonly files: readonly LocalFile[];
  /** Where to go on; undefined when nothing is left. Fewer files than asked for with a `next`: look further from there. */
  readonly next: Place | undefined;
}

export interface Browser {
  /** The source's directory, absolute, without links, as bytes. */
  readonly root: BytePath;
  newest(query: BrowseQuery): Promise<BrowseAnswer>;
  /** One file by its exact path; undefined when there is none. */
  find(path: BytePath): LocalFile | undefined;
  /** What is freed next: the earliest time, and how many files have their time by then (at most `COUNTED_MAX`). */
  due(untilMs: number): { readonly firstMs: number | undefined; readonly files: number };
  /** One failing file of a reason. */
  example(reason: string): { readonly path: BytePath; readonly message: string } | undefined;
}

/** A search for a name is broken off after this long, to be gone on with by the next request. */
const SEARCH_MS = 60;
export const COUNTED_MAX = 10_000;
/** What is in memory is gathered at most so often, however many look. */
const GATHERED_FOR_MS = 1_000;

type BrowserParts = Pick<
  Parts,
  'ledger' | 'queue' | 'settling' | 'backoff' | 'refused' | 'settings' | 'clock' | 'finder'
>;

export function createBrowser(parts: BrowserParts): Browser {
  const { ledger, queue, settling, backoff, refused, settings, clock } = parts;
  const { root } = parts.finder;
  let gathered: { readonly atMs: number; readonly files: Map<BytePath, FoundFile> } | undefined;

  const look = (path: BytePath): FoundFile | undefined => {
    const stat = statOf(root, path);
    return stat && { path, stat };
  };

  /** Every file that is not proved, as far as memory knows it: bounded by the queue's and the ledger's bounds. */
  const unproved = (): Map<BytePath, FoundFile> => {
    const nowMs = clock.now();
    if (gathered && nowMs - gathered.atMs < GATHERED_FOR_MS && nowMs >= gathered.atMs) return gathered.files;
    const files = new Map<BytePath, FoundFile>();
    for (const row of ledger.unprovedInMemory()) files.set(row.path, row);
    for (const failing of [backoff, refused]) {
      for (const path of failing.paths()) {
        const file = look(path);
        if (file) files.set(path, file);
      }
    }
    for (const file of settling.files()) files.set(file.path, file);
    for (const file of queue.files()) files.set(file.path, file);
    gathered = { atMs: nowMs, files };
    return files;
  };

  const describe = ({ path, stat }: FoundFile): LocalFile => {
    const row = ledger.get(path);
    const sent = row && sameStat(row.stat, stat) ? row : undefined;
    const trouble = backoff.get(path) ?? refused.get(path);
    const state = sent ? (sent.proved ? 'proved' : 'sent') : backoff.get(path) ? 'failing' : 'waiting';
    return {
      path,
      stat,
      arrivedMs: arrivedMs(stat),
      state,
      ...(trouble && { trouble }),
      ...(sent && { object: objectOf(sent) }),
      ...(sent?.proved && !settings.keep && { goesAtMs: sent.arrivedMs + settings.retentionMs }),
    };
  };

  const provedAfter = async (query: BrowseQuery, limit: number): Promise<BrowseAnswer> => {
    const files: LocalFile[] = [];
    const startedMs = monotonicMs();
    let after: Place | undefined = query.after;
    for (;;) {
      const slice = ledger.newest({ ...query, after, limit: limit - files.length });
      for (const { path } of slice.places) {
        const row = ledger.get(path);
        // It may have been freed or sent anew since it was written.
        if (row?.proved) files.push(describe(row));
      }
      after = slice.next;
      if (after === undefined || files.length >= limit || monotonicMs() - startedMs > SEARCH_MS)
        return { files, next: after };
      await turn();
    }
  };

  return {
    root,
    async newest(query) {
      // `untilMs` is a place too: the one just before everything that arrived then.
      const until: Place | undefined = Number.isFinite(query.untilMs)
        ? { arrivedMs: query.untilMs, path: '\u{10ffff}' }
        : undefined;
      const after = earlier(query.after, until);
      const from = { ...query, after };
      const inMemory: LocalFile[] = [];
      for (const file of query.state === 'proved' ? [] : newestOf(unproved().values(), from)) {
        const described = describe(file);
        if (isAsked(described, query.state)) inMemory.push(described);
        if (inMemory.length > query.limit) break;
      }
      const proved =
        query.state === undefined || query.state === 'proved'
          ? await provedAfter(from, query.limit)
          : { files: [], next: undefined };
      // Beyond what the proved rows were searched for nothing is known to be next.
      const seen = inMemory.filter((file) => proved.next === undefined || isBefore(file, proved.next));
      const merged = [...seen, ...proved.files].sort(byNewest);
      const files = merged.slice(0, query.limit);
      const last = files.at(-1);
      const more = merged.length > files.length || seen.length < inMemory.length;
      return {
        files,
        next: more && files.length === query.limit ? last : (proved.next ?? (more ? last : undefined)),
      };
    },
    find(path) {
      const file = look(path);
      return file && describe(file);
    },
    due(untilMs) {
      const { files, oldestMs } = ledger.due(untilMs - settings.retentionMs, COUNTED_MAX);
      return { firstMs: oldestMs === undefined ? undefined : oldestMs + settings.retentionMs, files };
    },
    example(reason) {
      return backoff.example(reason) ?? refused.example(reason);
    },
  };
}

/** Proved files come from the ledger, unless they are asked for because their delete is refused. */
function isAsked({ state, trouble }: LocalFile, asked: FileState | undefined): boolean {
  if (asked === 'failing') return trouble !== undefined;
  return state !== 'proved' && (asked === undefined || state === asked);
}

function objectOf(row: LedgerRow): NonNullable<LocalFile['object']> {
  const { key, sha256, etag, proof, provedAtMs } = row;
  return { key, sha256, etag, proof, provedAtMs: row.proved ? provedAtMs : undefined };
}

function statOf(root: BytePath, path: BytePath): FileStat | undefined {
  try {
    return lookAgain(root, path);
  } catch {
    return undefined;
  }
}

/** Those that fit, newest first. */
function newestOf(files: Iterable<FoundFile>, query: BrowseQuery): FoundFile[] {
  const name = query.name.toLowerCase();
  const fitting: (Place & FoundFile)[] = [];
  for (const file of files) {
    const place = { arrivedMs: arrivedMs(file.stat), path: file.path };
    if (place.arrivedMs < query.sinceMs || place.arrivedMs > query.untilMs) continue;
    if (query.after && !isBefore(query.after, place)) continue;
    if (name === '' || file.path.toLowerCase().includes(name)) fitting.push({ ...file, ...place });
  }
  return fitting.sort(byNewest);
}

/** Newest arrival first; two of one instant by path, in the order of the ledger's index backwards. */
function byNewest(a: Place, b: Place): number {
  return b.arrivedMs - a.arrivedMs || (a.path < b.path ? 1 : a.path > b.path ? -1 : 0);
}

const isBefore = (a: Place, b: Place): boolean => byNewest(a, b) < 0;

/** The one further down. */
function earlier(a: Place | undefined, b: Place | undefined): Place | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isBefore(a, b) ? b : a;
}
