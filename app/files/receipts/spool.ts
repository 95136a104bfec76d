// Receipts on their way: lines are appended to the part of this hour in the state directory, a part that is over is
// sealed and compressed under a name that tells its content, and stays until it is in the bucket. A kill at any instant
// loses nothing that the ledger has committed, and never makes one name of two contents.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { endLine } from './line.ts';

/**
 * An hour of 12 files a second, proved and freed, is 22 MB: three objects. A part goes to the bucket whole from memory,
 * compressed to a third of this.
 */
const PART_MAX_BYTES = 8 * 2 ** 20;
/**
 * What may wait for the bucket: days without S3, since what waits is compressed unless it came within the minute. Beyond
 * it lines are counted, not kept.
 */
const WAITING_MAX_BYTES = 96 * 2 ** 20;

const PART = '.part';
const SEALED = '.sealed';
const READY = '.ndjson.gz';
/** `2026-11-21T13`. */
const HOUR_LENGTH = 13;
const HOUR_MS = 3_600_000;

/**
 * Lines wait for the next write as bytes: as text, thousands of them at a time, they cost the garbage collector four
 * times what they cost to make.
 */
const PENDING_BYTES = 128 * 1_024;
/** UTF-8 takes no more for each unit of a string. */
const UTF8_MAX_BYTES = 3;
const CHUNK_BYTES = 128 * 1_024;

export interface Spool {
  /** Takes a line of this time; it is on disk after the next `flush` at the latest. */
  add(line: string, atMs: number): void;
  /** Writes what was added. Never throws: what cannot be written is counted as lost. */
  flush(): void;
  /** Ends the part at hand if its hour is over, or in any case. */
  seal(nowMs: number, always: boolean): void;
  /** Compresses what is sealed and answers what waits for the bucket, oldest first. */
  ready(): Promise<readonly Ready[]>;
  /** Forgets what is in the bucket. */
  done(name: string): void;
  /** Lines that could not be kept so far. */
  readonly lost: number;
}

export interface Ready {
  /** Within the spool. */
  readonly name: string;
  /** Below the destination's receipts: `dt=2026-11-21/hh=13/<hash>.ndjson.gz`. */
  readonly key: string;
  readonly path: string;
}

/** Takes up what an earlier run left. @param onFull told when a part is sealed for its size: `ready` has work */
export function openSpool(directory: string, source: string, onFull: () => void = () => {}): Spool {
  let part:
    | { readonly hour: string; readonly fd: number; bytes: number; lines: number; lost: number }
    | undefined;
  let pending = Buffer.allocUnsafe(PENDING_BYTES);
  let pendingBytes = 0;
  let pendingLines = 0;
  /** Hours since 1970. */
  let pendingHour = 0;
  let lost = 0;
  let lostBefore = 0;
  let full = false;

  const drop = (lines: number): void => {
    lost += lines;
  };

  const begin = (hour: string): NonNullable<typeof part> => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const fd = openSync(join(directory, hour + PART), 'a', 0o600);
    part = { hour, fd, bytes: 0, lines: 0, lost: lostBefore };
    return part;
  };

  const end = (): void => {
    if (!part) return;
    const { hour, fd, lines } = part;
    part = undefined;
    const missing = lost - lostBefore;
    lostBefore = lost;
    try {
      writeSync(fd, endLine(source, lines, missing));
    } catch {
      // Its end is written by whoever takes it up.
    }
    closeSync(fd);
    setAside(directory, hour);
    full = waitingBytes(directory) > WAITING_MAX_BYTES;
  };

  const flush = (): void => {
    if (pendingLines === 0) return;
    const lines = pendingLines;
    const bytes = pending.subarray(0, pendingBytes);
    pendingLines = 0;
    pendingBytes = 0;
    if (full) {
      drop(lines);
      return;
    }
    try {
      const hour = hourOf(pendingHour * HOUR_MS);
      if (part && part.hour !== hour) end();
      const current = part ?? begin(hour);
      writeAll(current.fd, bytes);
      current.bytes += bytes.length;
      current.lines += lines;
      if (current.bytes < PART_MAX_BYTES) return;
      end();
      onFull();
    } catch {
      drop(lines);
      // Part of a line may stand there: another part begins behind it.
      if (part) closeQuietly(part.fd);
      part = undefined;
    }
  };

  takeUp(directory, source);

  return {
    add(line, atMs) {
      const hour = Math.floor(atMs / HOUR_MS);
      const most = line.length * UTF8_MAX_BYTES;
      if (hour !== pendingHour || pendingBytes + most > pending.length) flush();
      pendingHour = hour;
      if (most > pending.length) pending = Buffer.allocUnsafe(most);
      pendingBytes += pending.write(line, pendingBytes);
      pendingLines += 1;
    },
    flush,
    seal(nowMs, always) {
      flush();
      try {
        if (part && (always || part.hour !== hourOf(nowMs))) end();
      } catch {
        // It is taken up at the next start.
      }
    },
    async ready() {
      for (const name of namesOf(directory, SEALED)) await compress(directory, name);
      full = waitingBytes(directory) > WAITING_MAX_BYTES;
      return namesOf(directory, READY).map((name) => ({
        name,
        key: keyOf(name),
        path: join(directory, name),
      }));
    },
    done: (name) => rmSync(join(directory, name), { force: true }),
    get lost() {
      return lost;
    },
  };
}

const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, HOUR_LENGTH);

function keyOf(name: string): string {
  return `dt=${name.slice(0, 10)}/hh=${name.slice(11, HOUR_LENGTH)}/${name.slice(HOUR_LENGTH + 1)}`;
}

function namesOf(directory: string, end: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(end))
      .sort();
  } catch {
    return [];
  }
}

function waitingBytes(directory: string): number {
  const names = [...namesOf(directory, SEALED), ...namesOf(directory, READY)];
  return names.reduce((all, name) => all + statSync(join(directory, name)).size, 0);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It is as good as closed.
  }
}

/** A part gets a name of its own, so that the hour may begin another. */
function setAside(directory: string, hour: string): void {
  const taken = new Set(namesOf(directory, SEALED));
  let number = 1;
  while (taken.has(`${hour}.${number}${SEALED}`)) number += 1;
  renameSync(join(directory, hour + PART), join(directory, `${hour}.${number}${SEALED}`));
}

/** Parts that a kill left: a line torn in the middle goes (its file is proved again), and an end is set. */
function takeUp(directory: string, source: string): void {
  for (const name of namesOf(directory, PART)) {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    const length = bytes.lastIndexOf(10) + 1;
    truncateSync(path, length);
    if (length === 0) rmSync(path);
    else {
      const lastAt = bytes.lastIndexOf(10, length - 2) + 1;
      const hasEnd = bytes.toString('latin1', lastAt, length).startsWith('{"event":"end"');
      if (!hasEnd) appendFileSync(path, endLine(source, countLines(bytes.subarray(0, length)), 0));
      setAside(directory, name.slice(0, HOUR_LENGTH));
    }
  }
  for (const name of namesOf(directory, '.tmp')) rmSync(join(directory, name));
}

/** By its newlines: a part is too much to be split as text. */
function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** The name comes from the compressed bytes: what is found under it is this. In chunks, memory stays flat. */
async function compress(directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  const temp = `${path}.tmp`;
  const hash = createHash('sha256');
  const fd = openSync(temp, 'w', 0o600);
  const text = openSync(path, 'r');
  const gzip = createGzip({ level: 1, chunkSize: CHUNK_BYTES });
  try {
    const ended = finished(gzip);
    // It is waited for below, unless a read fails before.
    ended.catch(() => {});
    gzip.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      try {
        writeAll(fd, chunk);
      } catch (error) {
        gzip.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    // One buffer for all that is read: a stream's, one for each chunk, were 17 MiB of garbage before they were collected.
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let read = readSync(text, buffer); read > 0; read = readSync(text, buffer)) {
      const taken = new Promise<void>((resolve, reject) => {
        gzip.write(buffer.subarray(0, read), (error) => (error ? reject(error) : resolve()));
      });
      // A full disk ends the stream, and with it the wait.
      await Promise.race([taken, ended]);
    }
    gzip.end();
    await ended;
  } finally {
    gzip.destroy();
    closeSync(text);
    closeSync(fd);
  }
  const ready = `${name.slice(0, HOUR_LENGTH)}.${hash.digest('hex').slice(0, 32)}${READY}`;
  renameSync(temp, join(directory, ready));
  rmSync(path);
}
