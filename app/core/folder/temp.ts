// The reserved directory of a folder store: half-written files live there, and those of dead processes are cleared.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Inside the folder, so that a link from it to the final name stays on one file system. Never listed. */
export const RESERVED = '.ferry-tmp';

/** Another host's leftovers cannot be told from its work in progress; after this long without a write they are left over. */
const FOREIGN_LEFTOVER_MS = 7 * 86_400_000;

let count = 0;

/** A name nobody else uses: host, process, the process's start, a counter. */
export function newTempFile(root: string): string {
  count += 1;
  return join(root, RESERVED, `${host()}~${process.pid}~${startOf(process.pid) ?? ''}~${count}`);
}

/** Makes the folder and the reserved directory in it. */
export function makeReserved(root: string): void {
  mkdirSync(join(root, RESERVED), { recursive: true });
  syncDirectory(root);
  syncDirectory(dirname(root));
}

/** After this the names in the directory survive a power cut. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the folder holds a reserved directory, so that it has been used before. Throws what `stat` throws but ENOENT. */
export function hasReserved(root: string): boolean {
  return statSync(join(root, RESERVED), { throwIfNoEntry: false }) !== undefined;
}

/** Removes what processes that are gone left behind; what cannot be removed stays, it does no harm. */
export function clearLeftovers(root: string, nowMs: number): void {
  for (const name of readdirSync(join(root, RESERVED))) {
    const path = join(root, RESERVED, name);
    try {
      if (isLeftover(name, statSync(path).mtimeMs, nowMs)) unlinkSync(path);
    } catch (error) {
      // Another process cleared it first, or it is another user's.
      if (!/^(ENOENT|EACCES|EPERM|EISDIR)$/.test(errnoOf(error) ?? '')) throw error;
    }
  }
}

function isLeftover(name: string, mtimeMs: number, nowMs: number): boolean {
  const [owner, pid, start] = name.split('~');
  if (owner !== host()) return nowMs - mtimeMs > FOREIGN_LEFTOVER_MS;
  return startOf(Number(pid)) !== start;
}

function host(): string {
  return hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_');
}

/** When a process began, in the kernel's ticks, so that a reused pid is told apart; undefined when there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Field 22 of proc(5); the second may hold blanks and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return processExists(pid) ? 'unknown' : undefined;
  }
}

function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
