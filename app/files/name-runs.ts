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
const NOTHING = Buffer.alloc(0);
let opened = 0;

interface Run {
  offset: number;
  readonly end: number;
  /** A chunk's bytes: `length` of them are names that each end with a NUL, and the next one begins at `at`. */
  chunk: Buffer;
  length: number;
  at: number;
  /** The name it stands at. */
  name: BytePath;
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

  const readOn = (run: Run, bytes: number, from: number): void => {
    const read = readSync(from, run.chunk, 0, bytes, run.offset);
    run.length = run.chunk.subarray(0, read).lastIndexOf(0) + 1;
    if (run.length === 0) throw new Error('names set aside in the state directory cannot be read back');
    run.at = 0;
    run.offset += run.length;
  };

  /** Moves the run to its next name; false at its end. */
  const advance = (run: Run): boolean => {
    if (run.at === run.length) {
      const bytes = Math.min(CHUNK_BYTES, run.end - run.offset);
      if (bytes === 0 || fd === undefined) return false;
      readOn(run, bytes, fd);
    }
    // One name at a time: strings of a whole chunk outlive two collections of the young, while the other runs have their
    // turns, and only a full one frees them. A million known files need two thirds of those so.
    const end = run.chunk.indexOf(0, run.at);
    run.name = run.chunk.toString('latin1', run.at, end);
    run.at = end + 1;
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
    const chunks = Buffer.allocUnsafeSlow(heap.length * CHUNK_BYTES);
    heap.forEach((run, place) => {
      run.chunk = chunks.subarray(place * CHUNK_BYTES, (place + 1) * CHUNK_BYTES);
      advance(run);
    });
    for (let at = heap.length >> 1; at >= 0; at -= 1) sink(at);
  };

  return {
    add(sortedNames) {
      if (fd === undefined || sortedNames.length === 0) return;
      const bytes = Buffer.from(sortedNames.join(END) + END, 'latin1');
      if (readVolume(directory).availableBytes - bytes.length < leftFreeBytes)
        throw new Error('the state directory has no room for names that wait');
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, written + at);
      heap.push({ offset: written, end: written + bytes.length, chunk: NOTHING, length: 0, at: 0, name: '' });
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
