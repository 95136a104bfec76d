// A file's ETag as S3 would give it, computed from the content: MD5, or above the single-put size MD5 of the parts' MD5s.
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { partSizeBytes, SINGLE_PUT_MAX_BYTES } from '../store.ts';
import { throwIfAborted } from './errors.ts';

const READ_BYTES = 2 ** 20;
/** About 250 bytes each: 12 MB when full. */
const CACHED_ETAGS = 50_000;
/** A file changed twice within one tick of the file system's clock looks unchanged; ticks are at most 10 ms, FAT's 2 s. */
const RACY_MS = 2_500;

/** Feeds content in order; which form the ETag has follows from the size alone, so that it can be computed again. */
export function etagOf(sizeBytes: number): { update(bytes: Buffer): void; digest(): string } {
  if (sizeBytes <= SINGLE_PUT_MAX_BYTES) {
    const hash = createHash('md5');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  }
  const partBytes = partSizeBytes(sizeBytes);
  const whole = createHash('md5');
  let part = createHash('md5');
  let inPart = 0;
  let parts = 0;
  const endPart = (): void => {
    whole.update(part.digest());
    part = createHash('md5');
    inPart = 0;
    parts += 1;
  };
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + partBytes - inPart);
        part.update(piece);
        at += piece.length;
        inPart += piece.length;
        if (inPart === partBytes) endPart();
      }
    },
    digest() {
      if (inPart > 0) endPart();
      return `${whole.digest('hex')}-${parts}`;
    },
  };
}

export interface EtagCache {
  /** From memory when inode, size and both times are as they were; otherwise the file is read. */
  read(path: string, stats: BigIntStats, signal?: AbortSignal): Promise<string>;
  remember(stats: BigIntStats, etag: string): void;
}

export function createEtagCache(): EtagCache {
  const known = new Map<string, string>();
  function remember(stats: BigIntStats, etag: string): void {
    if (known.size >= CACHED_ETAGS) {
      const [oldest = ''] = known.keys();
      known.delete(oldest);
    }
    known.set(identity(stats), etag);
  }
  return {
    remember,
    async read(path, stats, signal) {
      const cached = known.get(identity(stats));
      if (cached !== undefined) return cached;
      const startedMs = Date.now();
      const { etag, stats: read } = await readEtag(path, signal);
      if (startedMs - Number(read.ctimeMs) > RACY_MS) remember(read, etag);
      return etag;
    },
  };
}

function identity(stats: BigIntStats): string {
  return `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

/** Reads the file through one descriptor. */
export async function readEtag(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly etag: string; readonly sha256Hex: string; readonly stats: BigIntStats }> {
  const file = await open(path, 'r');
  try {
    const stats = await file.stat({ bigint: true });
    const etag = etagOf(Number(stats.size));
    const sha256 = createHash('sha256');
    for await (const bytes of chunksOf(file, Number(stats.size))) {
      throwIfAborted(signal);
      etag.update(bytes);
      sha256.update(bytes);
    }
    return { etag: etag.digest(), sha256Hex: sha256.digest('hex'), stats };
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: FileHandle, sizeBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, sizeBytes)));
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
