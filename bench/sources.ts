// The files to move: one flat directory or one for each hour, as a writer leaves them, each file's content different.
import { randomFillSync } from 'node:crypto';
import { closeSync, futimesSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
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

/** `dated`: a directory for each hour of the files' times, `2026-11-21/13`. */
export type Layout = 'flat' | 'dated';

/** Writes `files` files of `sizeBytes` into a new directory. About 40,000 files a second. */
export function makeSource(
  directory: string,
  files: number,
  sizeBytes: number,
  layout: Layout = 'flat',
): Source {
  mkdirSync(directory, { recursive: true });
  const block = randomFillSync(Buffer.alloc(Math.min(sizeBytes, BLOCK)));
  const nowS = Math.floor(Date.now() / 1_000);
  let lastHour = '';
  for (let index = 0; index < files; index += 1) {
    // Different content by its first bytes is enough: nobody here compresses or finds common blocks.
    block.write(String(index).padStart(9, '0'), 0, Math.min(9, block.length), 'latin1');
    const mtimeS = nowS - NEWEST_AGE_S - Math.floor((files - index) / FILES_PER_SECOND);
    const hour = layout === 'dated' ? hourOf(mtimeS) : '';
    if (hour !== lastHour) mkdirSync(join(directory, hour), { recursive: true });
    lastHour = hour;
    const file = openSync(join(directory, hour, `reading-${String(index).padStart(7, '0')}.json`), 'wx');
    for (let written = 0; written < sizeBytes; ) {
      written += writeSync(file, block, 0, Math.min(block.length, sizeBytes - written));
    }
    futimesSync(file, mtimeS, mtimeS);
    closeSync(file);
  }
  return { directory, files, bytes: files * sizeBytes };
}

const hourOf = (timeS: number): string =>
  new Date(timeS * 1_000).toISOString().slice(0, 13).replace('T', '/');

/** ext4 allows 65,000 names of one file. */
const NAMES_PER_FILE = 60_000;

/** So many names in one directory, of few files: what a walk costs grows with names, and the disk's inodes are spared. */
export function makeNames(directory: string, names: number): Source {
  mkdirSync(directory, { recursive: true });
  let file = '';
  for (let index = 0; index < names; index += 1) {
    // By hash: a writer's names come in no order either.
    const name = `${((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-${index}.json`;
    const path = join(directory, name);
    if (index % NAMES_PER_FILE === 0) {
      writeFileSync(path, `{"reading":${index}}`);
      file = path;
    } else linkSync(file, path);
  }
  return { directory, files: names, bytes: 0 };
}

/** Goes on as the writer: twelve new files a second until what it answers is called. */
export function keepWriting(
  source: Source,
  name: string,
): { stop(): void; readonly paths: readonly string[] } {
  const body = randomFillSync(Buffer.alloc(1_024));
  const paths: string[] = [];
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1_000) * FILES_PER_SECOND;
    while (paths.length < due) {
      const path = join(source.directory, `${name}-${String(paths.length).padStart(7, '0')}.json`);
      body.write(path.slice(-60), 'latin1');
      writeFileSync(path, body);
      paths.push(path);
    }
  }, 1_000 / FILES_PER_SECOND);
  return { stop: () => clearInterval(timer), paths };
}
