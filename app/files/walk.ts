// Finding: one pass over the source tree, the truth about what is there, within a bounded share of a core.
import { lstatSync, type Stats } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, monotonicMs } from '../core/clock.ts';
import { errnoOf, messageOf } from '../core/errors.ts';
import { type NameBudget, type Names, openNames } from './directory.ts';
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
  /** Share of one core, 0..1, that the pass and the work on what it finds may take; 1 never waits. */
  readonly cpuShare: number;
  readonly signal: AbortSignal;
  /** A file that Ferry itself set aside and was killed before deciding on. */
  readonly onAside: (path: BytePath, original: BytePath) => void;
  /** A path to leave alone (with all below it). */
  readonly isExcluded?: (path: BytePath) => boolean;
  /** Names held in memory. @default 16,384 */
  readonly namesHeld?: number;
  /** Where more names than that wait, so that all come in one order. Left out: they come in stretches, each in order. */
  readonly runsIn?: string | undefined;
}

export interface Walk {
  readonly report: WalkReport;
  /** Regular files in batches; the pass waits while a batch is being worked on, and empties it then. */
  readonly batches: AsyncGenerator<FoundFile[]>;
}

const BATCH_FILES = 512;
/** A patrol wakes up four times more rarely for as many files: a cold wake-up costs more than a file. */
const PATROL_BATCH_FILES = 2_048;
const SLICE_MS = 8;
const ENTRIES_AT_ONCE = 64;
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
  const seen = lookAt(root, path);
  return seen === 'directory' ? undefined : seen;
}

/** What stands at a path: a file's state, a directory, or nothing that is moved. Throws what the file system says else. */
export function lookAt(root: BytePath, path: BytePath): FileStat | 'directory' | undefined {
  let stat: Stats | undefined;
  try {
    stat = lstatSync(toSystemPath(`${root}/${path}`), { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) !== 'ENOTDIR') throw error;
  }
  if (stat?.isDirectory()) return 'directory';
  return stat?.isFile() ? new State(stat) : undefined;
}

/**
 * What is kept of a `Stats`, which is five times as large. A class, as is `Found`: of literals V8 learns that some outlive
 * a collection, and then makes all of them where only a full collection frees them. A pass over a million known files
 * needs 12 of those so, and 28 otherwise.
 */
class State implements FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  constructor({ size, mtimeMs, ctimeMs, ino }: Stats) {
    this.size = size;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
    this.ino = ino;
  }
}

class Found implements FoundFile {
  readonly path: BytePath;
  readonly stat: FileStat;
  constructor(path: BytePath, stat: Stats) {
    this.path = path;
    this.stat = new State(stat);
  }
}

interface OpenDirectory {
  readonly names: Names;
  readonly path: BytePath;
}

interface Place {
  readonly stack: OpenDirectory[];
  readonly budget: NameBudget;
}

async function* walk(options: WalkOptions, report: WalkReport): AsyncGenerator<FoundFile[]> {
  const { signal, clock, cpuShare } = options;
  const batchFiles = cpuShare < 1 ? PATROL_BATCH_FILES : BATCH_FILES;
  const stack: OpenDirectory[] = [];
  const place: Place = { stack, budget: { held: 0 } };
  open(options, report, place, '');
  try {
    let debtMs = 0;
    while (stack.length > 0 && !signal.aborted) {
      const startedMs = monotonicMs();
      const batch: FoundFile[] = [];
      while (stack.length > 0 && batch.length < batchFiles && monotonicMs() - startedMs < SLICE_MS) {
        for (let count = 0; count < ENTRIES_AT_ONCE && stack.length > 0; count += 1)
          step(options, report, place, batch);
      }
      const readMs = monotonicMs() - startedMs;
      if (batch.length > 0) yield batch;
      // Nobody needs it any more; held while the pass waits, it would outlive what it is made of.
      batch.length = 0;
      // What is done with a batch is part of what the pass costs, up to as much again: a moment in which somebody else's
      // disk stands still must not become minutes.
      debtMs += Math.min(monotonicMs() - startedMs, 2 * readMs) * (1 / cpuShare - 1);
      if (debtMs >= 5) {
        await clock.sleep(debtMs, signal);
        debtMs = 0;
      } else await turn();
    }
    if (signal.aborted) report.complete = false;
  } finally {
    for (const { names } of stack) names.close();
  }
}

function step(options: WalkOptions, report: WalkReport, place: Place, batch: FoundFile[]): void {
  const { stack } = place;
  const directory = stack.at(-1);
  if (!directory) return;
  const { names } = directory;
  let name: BytePath | undefined;
  try {
    if (names.read(ENTRIES_AT_ONCE)) return;
    name = names.take();
  } catch (error) {
    problem(report, directory.path, error);
    return;
  }
  if (name === undefined) {
    if (names.ended) stack.pop();
    return;
  }
  const path = joinPath(directory.path, name);
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
    const original = restoredName(name);
    if (original !== undefined) {
      options.onAside(path, joinPath(directory.path, original));
      return;
    }
    report.files += 1;
    batch.push(new Found(path, stat));
  } else if (stat.isDirectory()) open(options, report, place, path);
  else count(report.skipped, kindOf(stat));
}

function open(options: WalkOptions, report: WalkReport, place: Place, path: BytePath): void {
  const absolute = path === '' ? options.root : `${options.root}/${path}`;
  try {
    const held = { held: options.namesHeld, runsIn: options.runsIn };
    place.stack.push({ names: openNames(absolute, place.budget, held), path });
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
