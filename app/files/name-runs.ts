// Names in sorted runs on disk, merged into one order: a directory of ten million names then costs no more memory than
// one of a hundred thousand, and the ledger and the listings are still met in their own order.
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readVolume } from '../core/disk.ts';
import type { BytePath } from './paths.ts';

export interface NameRuns {
  /**
   * One run, in order; names hold no NUL. Throws when the volume would be left with little, and what the file system says;
   * what was added before stands.
   */
  add(sortedNames: readonly BytePath[]): void;
  /** The smallest name not yet taken; no run may be added after the first. Throws what the file system says. */
  take(): BytePath | undefined;
  close(): void;
}

/** What is read of a run at a time, longer than any name: 610 runs of ten million names hold 1.2 MB of text. */
const CHUNK_BYTES = 2_048;
const END = '\0';
let opened = 0;

interface Run {
  offset: number;
  readonly end: number;
  names: BytePath[];
  at: number;
  /** The name it stands at. */
  name: BytePath;
}

/**
 * Each made by itself. Cut out of one text they are views of it, which the heap compares four times as slowly: 0.3 s for
 * a million names.
 */
function namesIn(ended: Buffer): BytePath[] {
  const names: BytePath[] = [];
  for (let from = 0; from < ended.length; ) {
    const to = ended.indexOf(0, from);
    names.push(ended.toString('latin1', from, to));
    from = to + 1;
  }
  return names;
}

/** The ledger's: names that wait must not be why a row cannot be written. */
const LEFT_FREE_BYTES = 64 * 2 ** 20;

/** In a nameless file of this directory: a kill leaves nothing behind. Throws what the file system says. */
export function openNameRuns(directory: string, leftFreeBytes = LEFT_FREE_BYTES): NameRuns {
  opened += 1;
  const path = join(directory, `names.${process.pid}.${opened}`);
  let fd: number | undefined = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  let written = 0;
  /** A heap: each run's name is no greater than those of the two at twice its place. */
  const heap: Run[] = [];
  let started = false;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);

  /** Moves the run to its next name; false at its end. */
  const advance = (run: Run): boolean => {
    if (run.at === run.names.length) {
      const length = Math.min(CHUNK_BYTES, run.end - run.offset);
      if (length === 0 || fd === undefined) return false;
      const read = readSync(fd, chunk, 0, length, run.offset);
      const whole = chunk.subarray(0, read).lastIndexOf(0);
      if (whole < 0) throw new Error('names set aside in the state directory cannot be read back');
      run.names = namesIn(chunk.subarray(0, whole + 1));
      run.at = 0;
      run.offset += whole + 1;
    }
    run.name = run.names[run.at] ?? '';
    run.at += 1;
    return true;
  };

  /** Moves the run at this place down to where it belongs. */
  const sink = (from: number): void => {
    const run = heap[from];
    if (run === undefined) return;
    let at = from;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && right.name < left.name;
      const smaller = isRight ? right : left;
      if (run.name <= smaller.name) break;
      heap[at] = smaller;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = run;
  };

  const start = (): void => {
    started = true;
    for (const run of heap) advance(run);
    for (let at = heap.length >> 1; at >= 0; at -= 1) sink(at);
  };

  return {
    add(sortedNames) {
      if (fd === undefined || sortedNames.length === 0) return;
      const bytes = Buffer.from(sortedNames.join(END) + END, 'latin1');
      if (readVolume(directory).availableBytes - bytes.length < leftFreeBytes)
        throw new Error('the state directory has no room for names that wait');
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, written + at);
      heap.push({ offset: written, end: written + bytes.length, names: [], at: 0, name: '' });
      written += bytes.length;
    },
    take() {
      if (!started) start();
      const [first] = heap;
      if (first === undefined) return undefined;
      const { name } = first;
      if (!advance(first)) {
        const last = heap.pop();
        if (last !== undefined && last !== first) heap[0] = last;
      }
      sink(0);
      return name;
    },
    close() {
      heap.length = 0;
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
