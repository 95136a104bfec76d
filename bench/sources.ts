// The files to move: one flat directory, as a writer leaves it, each file's content different.
import { randomFillSync } from 'node:crypto';
import { closeSync, futimesSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface Source {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
}

/** Modification times as one writer of twelve files a second would have left them; the newest is an hour old. */
const FILES_PER_SECOND = 12;
const NEWEST_AGE_S = 3_600;
const BLOCK = 2 ** 20;

/** Writes `files` files of `sizeBytes` into a new directory. About 40,000 files a second. */
export function makeSource(directory: string, files: number, sizeBytes: number): Source {
  mkdirSync(directory, { recursive: true });
  const block = randomFillSync(Buffer.alloc(Math.min(sizeBytes, BLOCK)));
  const nowS = Math.floor(Date.now() / 1_000);
  for (let index = 0; index < files; index += 1) {
    // Different content by its first bytes is enough: nobody here compresses or finds common blocks.
    block.write(String(index).padStart(9, '0'), 0, Math.min(9, block.length), 'latin1');
    const file = openSync(join(directory, `reading-${String(index).padStart(7, '0')}.json`), 'wx');
    for (let written = 0; written < sizeBytes; ) {
      written += writeSync(file, block, 0, Math.min(block.length, sizeBytes - written));
    }
    const mtimeS = nowS - NEWEST_AGE_S - Math.floor((files - index) / FILES_PER_SECOND);
    futimesSync(file, mtimeS, mtimeS);
    closeSync(file);
  }
  return { directory, files, bytes: files * sizeBytes };
}
