// Finding: one pass over the source tree, the truth about what is there, within a bounded share of a core.
import { type Dir, type Dirent, lstatSync, opendirSync, type Stats } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { errnoOf, messageOf } from '../core/errors.ts';
import { type BytePath, joinPath, restoredName, toSystemPath } from './paths.ts';

/** What tells one state of a file from another. Times in milliseconds since 1970, with the file system's fraction. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

export interface FoundFile {
  readonly path: BytePath;
  readonly stat: FileStat;
}

/** Filled while a pass runs. */
export interface WalkReport {
  /** Allocated bytes (blocks, not sizes) and inodes of everything below the source. */
  usedBytes: number;
  usedInodes: number;
  files: number;
  /** Entries never opened, by kind. */
  readonly skipped: Map<string, number>;
  /** False when something could not be read: what was not found is then unknown, not absent. */
  complete: boolean;
  /** One sentence for each of the first few things that could not be read. */
  readonly problems: string[];
}

export interface WalkOptions {
  /** Absolute, as bytes. */
  readonly root: BytePath;
  readonly clock: Clock;
  /** Share of one core, 0..1; 1 never waits. */
  readonly cpuShare: number;
  readonly signal: AbortSignal;
  /** A file that Ferry itself set aside and was killed before deciding on. */
  readonly onAside: (path: BytePath, original: BytePath) => void;
  /** A path to leave alone (with all below it). */
  readonly isExcluded?: (path: BytePath) => boolean;
}

export interface Walk {
  readonly report: WalkReport;
  /** Regular files in batches; the pass waits while a batch is being worked on. */
  readonly batches: AsyncGenerator<FoundFile[]>;
}

const BATCH_FILES = 512;
const SLICE_MS = 8;
const READ_AHEAD_ENTRIES = 1024;
const PROBLEMS_NAMED = 5;

export function startWalk(options: WalkOptions): Walk {
  const report: WalkReport = {
    usedBytes: 0,
    usedInodes: 0,
    files: 0,
    skipped: new Map(),
    complete: true,
    problems: [],
  };
  return { report, batches: walk(options, report) };
}

/** A second look at one file; undefined when no regular file is there any more. Throws what the file system says else. */
export function lookAgain(root: BytePath, path: BytePath): FileStat | undefined {
  let stat: Stats | undefined;
  try {
    stat = lstatSync(toSystemPath(`${root}/${path}`), { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) !== 'ENOTDIR') throw error;
  }
  if (!stat?.isFile()) return undefined;
  return stateOf(stat);
}

/** What is kept of a `Stats`, which is five times as large. */
function stateOf({ size, mtimeMs, ctimeMs, ino }: Stats): FileStat {
  return { size, mtimeMs, ctimeMs, ino };
}

interface OpenDirectory {
  readonly handle: Dir;
  readonly path: BytePath;
}

async function* walk(options: WalkOptions, report: WalkReport): AsyncGenerator<FoundFile[]> {
  const { signal, clock, cpuShare } = options;
  const stack: OpenDirectory[] = [];
  open(options, report, stack, '');
  try {
    let debtMs = 0;
    while (stack.length > 0 && !signal.aborted) {
      const startedMs = performance.now();
      const batch: FoundFile[] = [];
      while (stack.length > 0 && batch.length < BATCH_FILES && performance.now() - startedMs < SLICE_MS) {
        for (let count = 0; count < 64 && stack.length > 0; count += 1) step(options, report, stack, batch);
      }
      const readMs = performance.now() - startedMs;
      if (batch.length > 0) yield batch;
      // The pass pays for what it read, not for what others did while it waited.
      debtMs += readMs * (1 / cpuShare - 1);
      if (debtMs >= 5) {
        await clock.sleep(debtMs, signal);
        debtMs = 0;
      } else await turn();
    }
    if (signal.aborted) report.complete = false;
  } finally {
    for (const { handle } of stack) handle.closeSync();
  }
}

function step(options: WalkOptions, report: WalkReport, stack: OpenDirectory[], batch: FoundFile[]): void {
  const directory = stack.at(-1);
  if (!directory) return;
  let entry: Dirent | null;
  try {
    entry = directory.handle.readSync();
  } catch (error) {
    problem(report, directory.path, error);
    entry = null;
  }
  if (entry === null) {
    directory.handle.closeSync();
    stack.pop();
    return;
  }
  const path = joinPath(directory.path, entry.name);
  if (options.isExcluded?.(path)) {
    count(report.skipped, 'excluded');
    return;
  }
  let stat: Stats | undefined;
  try {
    stat = lstatSync(toSystemPath(`${options.root}/${path}`), { throwIfNoEntry: false });
  } catch (error) {
    problem(report, path, error);
    return;
  }
  if (stat === undefined) return; // It vanished between the two calls: nothing to move.
  report.usedBytes += stat.blocks * 512;
  report.usedInodes += 1;
  if (stat.isFile()) {
    const original = restoredName(entry.name);
    if (original !== undefined) {
      options.onAside(path, joinPath(directory.path, original));
      return;
    }
    report.files += 1;
    batch.push({ path, stat: stateOf(stat) });
  } else if (stat.isDirectory()) open(options, report, stack, path);
  else count(report.skipped, kindOf(stat));
}

function open(options: WalkOptions, report: WalkReport, stack: OpenDirectory[], path: BytePath): void {
  const absolute = path === '' ? options.root : `${options.root}/${path}`;
  try {
    // Node's types know no latin1 here; its reader takes every Buffer encoding.
    const encoding = 'latin1' as BufferEncoding;
    const handle = opendirSync(toSystemPath(absolute) as string, {
      bufferSize: READ_AHEAD_ENTRIES,
      encoding,
    });
    stack.push({ handle, path });
  } catch (error) {
    if (path !== '' && errnoOf(error) === 'ENOENT') return;
    if (errnoOf(error) === 'EACCES') count(report.skipped, 'unreadable-directory');
    problem(report, path, error);
  }
}

function problem(report: WalkReport, path: BytePath, error: unknown): void {
  report.complete = false;
  if (report.problems.length < PROBLEMS_NAMED) {
    report.problems.push(
      `cannot read ${path === '' ? 'the source directory' : JSON.stringify(path)}: ${messageOf(error)}`,
    );
  }
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return 'device';
}

function count(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
