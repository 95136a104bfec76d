// The balance of a demo: reads every file on both sides again and checks it against what the writer says it wrote.
// It trusts nothing that Ferry remembers.
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, existsSync, openSync, readSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { type ExitName, errnoOf } from '../core/errors.ts';
import { RESERVED } from '../core/folder/temp.ts';
import { RECEIPTS_PREFIX } from '../files/receipts/line.ts';
import type { ManifestLine } from './writer.ts';

export interface BalanceSides {
  /** The writer's JSON lines. */
  readonly manifest: string;
  readonly dataDir: string;
  readonly bucketDir: string;
}

/** A file or object that bears a written file's name and has other content. */
export interface Difference {
  readonly where: 'local' | 'bucket';
  /** Relative to its side. */
  readonly name: string;
  readonly writtenBytes: number;
  readonly foundBytes: number;
}

/** `written` = `inBucket` + `stillLocal` + `lost`. */
export interface Balance {
  /** Files in the manifest. */
  readonly written: number;
  /** Of these, with an object of the same content under a key that holds the file's path. */
  readonly inBucket: number;
  /** Of these, on the local side only. */
  readonly stillLocal: number;
  /** In the bucket and kept locally: part of `inBucket`. */
  readonly both: number;
  /** Paths whose content is on neither side. */
  readonly lost: readonly string[];
  /** Paths with more than one object of their content. */
  readonly twice: readonly string[];
  readonly different: readonly Difference[];
  /** Files and objects the manifest does not know, e.g. one whose writer was killed before it could note it. */
  readonly foreign: number;
  /** Lines a killed writer left half written. */
  readonly damagedLines: number;
}

interface Written {
  readonly path: string;
  readonly size: number;
  local: boolean;
  objects: number;
}

interface Found {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Files hashed before the event loop gets its turn. */
const SLICE_FILES = 64;
const BUFFER_BYTES = 64 * 1024;

/**
 * Draws up the balance. Memory: about 300 bytes for each written file, and one buffer. It is exact once writer and
 * mover have stopped; while they run, files newer than its start count as foreign. A missing side is an empty one.
 */
export async function balance({ manifest, dataDir, bucketDir }: BalanceSides): Promise<Balance> {
  const byPath = new Map<string, Written>();
  const bySha256 = new Map<string, Written[]>();
  let damagedLines = 0;
  for await (const line of linesOf(manifest)) {
    const entry = parseLine(line);
    if (!entry) damagedLines += 1;
    else if (!byPath.has(entry.path)) {
      const written = { path: entry.path, size: entry.size, local: false, objects: 0 };
      byPath.set(entry.path, written);
      bySha256.set(entry.sha256, [...(bySha256.get(entry.sha256) ?? []), written]);
    }
  }

  const different: Difference[] = [];
  let foreign = 0;
  const differs = (where: Difference['where'], file: Found, written: Written) =>
    different.push({ where, name: file.name, writtenBytes: written.size, foundBytes: file.bytes });

  // The local side first: a file that moves meanwhile is then seen twice, not missed.
  for await (const file of hashesBelow(dataDir)) {
    const written = byPath.get(file.name);
    const same = bySha256.get(file.sha256);
    if (written && same?.includes(written)) written.local = true;
    else if (written) differs('local', file, written);
    else if (same?.[0] && file.bytes > 0) same[0].local = true;
    else foreign += 1;
  }
  for await (const object of hashesBelow(bucketDir, [`${RESERVED}/`, RECEIPTS_PREFIX])) {
    const same = bySha256.get(object.sha256)?.find(({ path }) => object.name.includes(stemOf(path)));
    const namesake = suffixesOf(object.name).find((suffix) => byPath.has(suffix));
    const written = namesake === undefined ? undefined : byPath.get(namesake);
    if (same) same.objects += 1;
    else if (written) differs('bucket', object, written);
    else foreign += 1;
  }

  const all = [...byPath.values()];
  return {
    written: all.length,
    inBucket: all.filter(({ objects }) => objects > 0).length,
    stillLocal: all.filter(({ objects, local }) => objects === 0 && local).length,
    both: all.filter(({ objects, local }) => objects > 0 && local).length,
    lost: all.filter(({ objects, local }) => objects === 0 && !local).map(({ path }) => path),
    twice: all.filter(({ objects }) => objects > 1).map(({ path }) => path),
    different,
    foreign,
    damagedLines,
  };
}

/** Anything lost, sent twice or different is a defect of Ferry's. */
export function exitOf(result: Balance): ExitName {
  return result.lost.length + result.twice.length + result.different.length === 0 ? 'ok' : 'internal';
}

/** The balance for people: the equation, then each defect by name (the first ten of a kind). */
export function formatBalance(result: Balance): string {
  const count = (value: number) => value.toLocaleString('en-US');
  const rows: [string, number, string][] = [
    ['written', result.written, 'by the stand-in for the vendor'],
    ['in the bucket', result.inBucket, `same content, ${count(result.both)} of them also kept locally`],
    ['still local only', result.stillLocal, 'sent at the next start'],
    ['lost', result.lost.length, ''],
    ['sent twice', result.twice.length, ''],
    ['other content', result.different.length, ''],
  ];
  if (result.foreign > 0)
    rows.push(['not in the manifest', result.foreign, 'files the balance cannot judge']);
  const lines = [
    `written ${count(result.written)} = in the bucket ${count(result.inBucket)} + still local only ` +
      `${count(result.stillLocal)}${result.lost.length > 0 ? ` + lost ${count(result.lost.length)}` : ''}; ` +
      `${count(result.lost.length)} lost, ${count(result.twice.length)} sent twice`,
    ...rows.map(([name, value, note]) =>
      `  ${name.padEnd(20)}${count(value).padStart(9)}  ${note}`.trimEnd(),
    ),
    ...named('lost', result.lost),
    ...named('sent twice', result.twice),
    ...named(
      'other content',
      result.different.map(
        ({ where, name, writtenBytes, foundBytes }) =>
          `${name} (${where}, ${count(foundBytes)} bytes, written ${count(writtenBytes)})`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function named(kind: string, names: readonly string[]): string[] {
  const shown = names.slice(0, 10).map((name) => `  ${kind}: ${name}`);
  return names.length > 10 ? [...shown, `  ${kind}: and ${names.length - 10} more`] : shown;
}

/** `a/b.dat` -> `a/b`: a key that avoids another object's keeps at least this much of the path. */
function stemOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}

/** `dt=x/a/b.dat` -> itself, `a/b.dat`, `b.dat`: a key ends with its file's path, and `~<hash>` if that was taken. */
function suffixesOf(key: string): string[] {
  const parts = key.replace(/~[0-9a-f]{32}(-\d+)?$/, '').split('/');
  return parts.map((_, index) => parts.slice(index).join('/'));
}

async function* linesOf(path: string): AsyncGenerator<string> {
  if (!existsSync(path)) return;
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line !== '') yield line;
  }
}

function parseLine(line: string): ManifestLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('path' in value && 'size' in value && 'sha256' in value)) return undefined;
    const { path, size, sha256 } = value;
    if (typeof path !== 'string' || typeof size !== 'number' || typeof sha256 !== 'string') return undefined;
    return { path, size, sha256 };
  } catch {
    return undefined;
  }
}

/** Every regular file below the folder with its hash, in the folder's own order; what begins with one of `except` left out. */
async function* hashesBelow(root: string, except: readonly string[] = []): AsyncGenerator<Found> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let hashed = 0;
  for await (const name of namesBelow(root, '')) {
    if (except.some((prefix) => name.startsWith(prefix))) continue;
    const found = await hashOf(join(root, name), buffer);
    if (found) yield { name, ...found };
    hashed += 1;
    if (hashed % SLICE_FILES === 0) await turn();
  }
}

async function* namesBelow(root: string, below: string): AsyncGenerator<string> {
  let directory: Awaited<ReturnType<typeof opendir>>;
  try {
    directory = await opendir(join(root, below), { bufferSize: 256 });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  for await (const entry of directory) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* namesBelow(root, name);
    else if (entry.isFile()) yield name;
  }
}

/** Undefined when the file has gone meanwhile. */
async function hashOf(path: string, buffer: Buffer): Promise<{ sha256: string; bytes: number } | undefined> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
      if (bytes % (256 * BUFFER_BYTES) === 0) await turn();
    }
    return { sha256: hash.digest('hex'), bytes };
  } finally {
    closeSync(fd);
  }
}
