// The vendor's stand-in: writes files as the vendor's program would, a burst at the start and then a steady rate, and
// notes each in a manifest outside the data folder so that a balance can be drawn up later.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { FerryError, messageOf } from '../core/errors.ts';

/**
 * How a file comes about: `plain` opens, writes and closes; `tmp-rename` writes `<name>.tmp` and renames it; `slow`
 * writes a fifth at a time with pauses; `rewrite` writes something else first, closes, and writes the file again.
 */
export const WRITER_PATTERNS = ['plain', 'tmp-rename', 'slow', 'rewrite'] as const;
export type WriterPattern = (typeof WRITER_PATTERNS)[number];

export interface WriterOptions {
  /** Where the files go; made when missing. */
  readonly directory: string;
  /** JSON lines, one per finished file; must lie outside `directory`. */
  readonly manifest: string;
  /** After the burst; 0 ends with the burst. */
  readonly filesPerSecond: number;
  readonly sizeBytes: number;
  readonly burstFiles: number;
  readonly burstSizeBytes: number;
  readonly pattern: WriterPattern;
  /** With a file's path it determines the file's content. */
  readonly seed: string;
  /** Part of every name: two runs never write the same path. */
  readonly runId: string;
  readonly clock: Clock;
}

/** A line of the manifest, written after the file was closed under its final name. */
export interface ManifestLine {
  /** Relative to the data folder, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Between the steps of the patterns that take their time: well below the shortest settle time (1 s). */
const PAUSE_MS = 200;
/** Files begun and not finished at most; only patterns that pause have more than one. */
const MAX_IN_HAND = 64;
/** Files written before the event loop gets its turn: about 5 ms. */
const SLICE_FILES = 50;
const CHUNK_BYTES = 64 * 1024;
const FILES_PER_DIRECTORY = 500;

/** Sorts by start time; the random part keeps two runs of the same millisecond apart. */
export function newRunId(nowMs: number): string {
  return `${nowMs.toString(36)}${randomBytes(2).toString('hex')}`;
}

/** The content of the file at this path, in pieces of at most 64 KiB: the same for the same seed, path and size. */
export function* contentOf(seed: string, path: string, sizeBytes: number): Generator<Buffer> {
  const key = createHash('sha256').update(`${seed}\0${path}`).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) {
    yield stream.update(Buffer.alloc(Math.min(left, CHUNK_BYTES)));
  }
}

/**
 * Writes until the signal aborts (or, at rate 0, until the burst is written), finishes the files in hand, and answers
 * how many it wrote. @throws FerryError `source` when a file cannot be written.
 */
export async function runWriter(options: WriterOptions, signal: AbortSignal): Promise<{ files: number }> {
  const { clock, burstFiles, filesPerSecond } = options;
  const manifest = openManifest(options.manifest);
  const inHand = new Set<Promise<void>>();
  let begun = 0;
  let files = 0;
  let failure: unknown;
  const begin = async (path: string, sizeBytes: number): Promise<void> => {
    const task = writeOne(options, path, sizeBytes, signal)
      .then((line) => {
        writeAll(manifest, Buffer.from(`${JSON.stringify(line)}\n`));
        files += 1;
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inHand.delete(task));
    inHand.add(task);
    begun += 1;
    if (begun % SLICE_FILES === 0) await turn();
    if (inHand.size >= MAX_IN_HAND) await Promise.race(inHand);
  };
  const stopped = () => signal.aborted || failure !== undefined;

  for (let index = 0; index < burstFiles && !stopped(); index += 1) {
    await begin(burstPath(options.runId, begun), options.burstSizeBytes);
  }
  const everyMs = 1_000 / filesPerSecond;
  let dueMs = clock.now();
  while (filesPerSecond > 0 && !stopped()) {
    const nowMs = clock.now();
    // After a suspended machine or a clock that was set, the missed files are not made up for.
    if (Math.abs(nowMs - dueMs) > 1_000 + everyMs) dueMs = nowMs;
    if (nowMs < dueMs) {
      await clock.sleep(dueMs - nowMs, signal);
      continue;
    }
    await begin(steadyPath(options.runId, begun, nowMs), options.sizeBytes);
    dueMs += everyMs;
  }
  await Promise.all(inHand);
  closeSync(manifest);
  if (failure !== undefined) {
    throw new FerryError(
      'source',
      `The stand-in for the vendor's program cannot write to ${options.directory}: ${messageOf(failure)}.`,
      'Free space there or choose another directory.',
      { cause: failure },
    );
  }
  return { files };
}

function burstPath(runId: string, index: number): string {
  const batch = String(Math.floor(index / FILES_PER_DIRECTORY)).padStart(3, '0');
  return `start-${runId}/${batch}/${runId}-${String(index).padStart(7, '0')}.dat`;
}

function steadyPath(runId: string, index: number, nowMs: number): string {
  const iso = new Date(nowMs).toISOString();
  return `${iso.slice(0, 10)}/${iso.slice(11, 13)}/${runId}-${String(index).padStart(7, '0')}.dat`;
}

async function writeOne(
  options: WriterOptions,
  path: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<ManifestLine> {
  const { pattern, seed, clock } = options;
  const target = join(options.directory, path);
  mkdirSync(dirname(target), { recursive: true });
  const pause = () => clock.sleep(PAUSE_MS, signal);
  switch (pattern) {
    case 'plain': {
      const sha256 = await writeContent(target, 'wx', contentOf(seed, path, sizeBytes));
      return { path, size: sizeBytes, sha256 };
    }
    case 'tmp-rename': {
      const halves = inPieces(contentOf(seed, path, sizeBytes), sizeBytes, 2);
      const sha256 = await writeContent(`${target}.tmp`, 'wx', halves, pause);
      renameSync(`${target}.tmp`, target);
      return { path, size: sizeBytes, sha256 };
    }
    case 'slow': {
      const fifths = inPieces(contentOf(seed, path, sizeBytes), sizeBytes, 5);
      const sha256 = await writeContent(target, 'wx', fifths, pause);
      return { path, size: sizeBytes, sha256 };
    }
    case 'rewrite': {
      await writeContent(target, 'wx', contentOf(`${seed} draft`, path, Math.ceil(sizeBytes / 2)));
      await pause();
      const sha256 = await writeContent(target, 'w', contentOf(seed, path, sizeBytes));
      return { path, size: sizeBytes, sha256 };
    }
  }
}

/** Splits the content so that there are about `count` writes, however small the file. */
function* inPieces(content: Iterable<Buffer>, sizeBytes: number, count: number): Generator<Buffer> {
  const pieceBytes = Math.max(1, Math.ceil(sizeBytes / count));
  for (const chunk of content) {
    for (let at = 0; at < chunk.length; at += pieceBytes) yield chunk.subarray(at, at + pieceBytes);
  }
}

/** Opens, writes, closes; the SHA-256 of what was written. */
async function writeContent(
  target: string,
  flags: 'wx' | 'w',
  content: Iterable<Buffer>,
  pause?: () => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  const fd = openSync(target, flags);
  try {
    for (const piece of content) {
      writeAll(fd, piece);
      hash.update(piece);
      if (pause) await pause();
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Opens for appending; ends a line that a killed run left unfinished, so that the next one stands alone. */
function openManifest(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'a+');
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a)
    writeAll(fd, Buffer.from('\n'));
  return fd;
}
