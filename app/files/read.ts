// Reading: one descriptor, whose `fstat` after reading must agree with the look that called the file complete; otherwise
// what was read is not the file, and nothing of it is sent.
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { errnoOf, messageOf } from '../core/errors.ts';
import {
  type LargeSource,
  partSizeBytes,
  partsInFlight,
  SINGLE_PUT_MAX_BYTES,
  type Store,
} from '../core/store.ts';
import { type BytePath, toSystemPath } from './paths.ts';
import { sameStat } from './settle.ts';
import type { FileStat } from './walk.ts';

/**
 * Why a file was not read: `vanished` and `changed` are ordinary life, `unreadable` is the owner's refusal, `busy` a
 * lack of descriptors or memory that passes, `io-error` the disk's.
 */
export type ReadFault = 'vanished' | 'changed' | 'unreadable' | 'busy' | 'io-error';

export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly fault: ReadFault;
  constructor(fault: ReadFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}

function faultOf(error: unknown): ReadFault {
  switch (errnoOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ESTALE':
      return 'vanished';
    case 'ELOOP': // A symlink stands where the file was: O_NOFOLLOW.
    case 'ENXIO': // A FIFO or socket does: O_NONBLOCK.
      return 'changed';
    case 'EACCES':
    case 'EPERM':
      return 'unreadable';
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
    case 'EAGAIN':
      return 'busy';
    default:
      return 'io-error';
  }
}

/** Turns a system error into a ReadError; leaves a ReadError as it is. */
function asReadError(error: unknown): ReadError {
  if (error instanceof ReadError) return error;
  return new ReadError(faultOf(error), messageOf(error), { cause: error });
}

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A descriptor that is checked against the look before anything is read from it. */
export interface OpenFile {
  readonly stat: FileStat;
  /** Exactly `length` bytes at `offset`, into `into` from its start. @throws ReadError */
  read(into: Buffer, offset: number, length: number): void;
  /** @throws ReadError `changed` when the file is no longer what it was at the look. */
  verify(): void;
  close(): void;
}

/** @throws ReadError */
function open(absolute: BytePath): number {
  try {
    return openSync(toSystemPath(absolute), OPEN_FLAGS);
  } catch (error) {
    throw asReadError(error);
  }
}

/** A descriptor of the file that the look saw. @throws ReadError */
function openVerified(absolute: BytePath, expected: FileStat): number {
  const fd = open(absolute);
  try {
    verify(fd, expected);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function verify(fd: number, expected: FileStat): void {
  try {
    const now = fstatSync(fd);
    if (now.isFile() && sameStat(now, expected)) return;
  } catch (error) {
    throw asReadError(error);
  }
  throw new ReadError('changed', 'The file changed while it was read.');
}

function readExactly(fd: number, into: Buffer, offset: number, length: number): void {
  try {
    for (let done = 0; done < length; ) {
      const count = readSync(fd, into, done, length - done, offset + done);
      if (count === 0) throw new ReadError('changed', 'The file ended before its size.');
      done += count;
    }
  } catch (error) {
    throw asReadError(error);
  }
}

/** @throws ReadError */
export function openChecked(absolute: BytePath, expected: FileStat): OpenFile {
  const fd = openVerified(absolute, expected);
  return {
    stat: expected,
    read: (into, offset, length) => readExactly(fd, into, offset, length),
    verify: () => verify(fd, expected),
    close: () => closeSync(fd),
  };
}

export interface SmallContent {
  readonly body: Buffer;
  readonly sha256: string;
}

/**
 * A whole small file as the look saw it. Where it has room the content lies in `into`. What was read of anything else is
 * found out at the end, which saves one of two `fstat`, 2 us. @throws ReadError
 */
export function readSmall(absolute: BytePath, expected: FileStat, into?: Buffer): SmallContent {
  const fd = open(absolute);
  try {
    const { size } = expected;
    const body = into && size <= into.length ? into.subarray(0, size) : Buffer.allocUnsafe(size);
    try {
      readExactly(fd, body, 0, size);
    } catch (error) {
      // A directory or a FIFO in its place cannot be read: that is not the disk's fault.
      verify(fd, expected);
      throw error;
    }
    verify(fd, expected);
    return { body, sha256: hash('sha256', body, 'hex') };
  } finally {
    closeSync(fd);
  }
}

export const isLarge = (sizeBytes: number): boolean => sizeBytes > SINGLE_PUT_MAX_BYTES;

/** A large file as the store reads it, part by part. The caller closes it. @throws ReadError */
export function openLarge(
  absolute: BytePath,
  expected: FileStat,
  progress: LargeSource['progress'],
): LargeSource & { close(): void } {
  const file = openChecked(absolute, expected);
  const partBytes = partSizeBytes(expected.size);
  // As many as may be on their way, used in turn: a part of 8 MiB anew each time would wait long for the collector.
  const buffers: Buffer[] = [];
  let reads = 0;
  return {
    sizeBytes: expected.size,
    read(offset, lengthBytes) {
      const place = reads % partsInFlight(expected.size);
      const buffer = buffers[place] ?? Buffer.allocUnsafeSlow(partBytes);
      buffers[place] = buffer;
      reads += 1;
      const body =
        lengthBytes <= partBytes ? buffer.subarray(0, lengthBytes) : Buffer.allocUnsafe(lengthBytes);
      file.read(body, offset, lengthBytes);
      return body;
    },
    progress,
    beforeCommit: () => file.verify(),
    close: () => file.close(),
  };
}

/** What the ledger keeps as the SHA-256 of a large file: that over its parts' digests (hex), in order. */
export function sha256OfParts(parts: readonly string[]): string {
  return hash('sha256', Buffer.from(parts.join(''), 'hex'), 'hex');
}

export interface ContentDigests {
  readonly sha256: string;
  /** The ETag that the content has in S3 where ETags are MD5s. */
  readonly etag: string;
}

/** Reads a file for its digests alone, as an upload would give them; lets the loop turn between parts. @throws ReadError */
export async function digestFile(
  absolute: BytePath,
  expected: FileStat,
  signal?: AbortSignal,
): Promise<ContentDigests> {
  if (!isLarge(expected.size)) {
    const { body, sha256 } = readSmall(absolute, expected);
    return { sha256, etag: hash('md5', body, 'hex') };
  }
  const large = openLarge(absolute, expected, () => {});
  try {
    const partBytes = partSizeBytes(expected.size);
    const sha256: string[] = [];
    const md5: Buffer[] = [];
    for (let offset = 0; offset < expected.size; offset += partBytes) {
      const part = large.read(offset, Math.min(partBytes, expected.size - offset));
      sha256.push(hash('sha256', part, 'hex'));
      md5.push(hash('md5', part, 'buffer'));
      await turn();
      if (signal?.aborted) throw new ReadError('busy', 'Ferry is stopping.');
    }
    large.beforeCommit();
    return { sha256: sha256OfParts(sha256), etag: `${hash('md5', Buffer.concat(md5), 'hex')}-${md5.length}` };
  } finally {
    large.close();
  }
}

/** Whether a file still has the content that a row tells of, ETag included where that can be told. */
export function contentStands(
  store: Pick<Store, 'etagIsMd5'>,
  row: { readonly sha256: string; readonly etag: string },
  digests: ContentDigests,
): boolean {
  return row.sha256 === digests.sha256 && (!store.etagIsMd5 || row.etag === digests.etag);
}
