// Spilling: when the volume is critical and nothing proved is left to free, the oldest complete files move to another
// volume, from which they are sent like any other. Copied, read back and written through, and only then freed here.
import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, rmSync, utimesSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { wholeBlocks } from '../core/disk.ts';
import { errnoOf, messageOf } from '../core/errors.ts';
import { add } from './counters.ts';
import { freeFile } from './free.ts';
import { type BytePath, parentOf, toBytePath, toSystemPath } from './paths.ts';
import { digestFile, isLarge, ReadError } from './read.ts';
import type { RetainPorts } from './retain.ts';
import { arrivedMs, settledAtMs } from './settle.ts';
import { type FileStat, type FoundFile, lookAgain, startWalk } from './walk.ts';

export interface SpillPorts extends RetainPorts {
  /** The spill volume's directory. */
  readonly directory: string;
  readonly settleMs: number;
  readonly cpuShare: number;
}

/** Complete files wait here, under their own paths: the source of the mover that sends them. */
export const spilledFiles = (directory: string): string => join(directory, 'files');
/** What is being copied, outside of what is sent. */
const unfinished = (directory: string): string => join(directory, 'unfinished');

/** Candidates looked at in one round: the oldest of all, however many there are. */
const CANDIDATES = 2_000;
/** A volume that is about to be full is worth more of a core than a walk on a quiet day. */
const LEAST_CPU_SHARE = 0.2;

/** Makes the directories and removes what a kill left half copied; its original is still there. Throws a Node system error. */
export function prepareSpill(directory: string): void {
  rmSync(unfinished(directory), { recursive: true, force: true });
  for (const path of [spilledFiles(directory), unfinished(directory)]) mkdirSync(path, { recursive: true });
}

/** Moves the oldest complete files that are not proved, until `enough` says so. Answers how many it moved. */
export async function spillOldest(
  ports: SpillPorts,
  enough: (bytes: number, files: number) => boolean,
): Promise<number> {
  const { ledger, counters, log } = ports;
  let bytes = 0;
  let files = 0;
  try {
    for (const file of await oldestUnproved(ports)) {
      if (ports.signal.aborted || enough(bytes, files)) break;
      if (!(await spillFile(ports, file))) continue;
      const row = ledger.get(file.path);
      if (row !== undefined) ledger.forget(row);
      files += 1;
      bytes += wholeBlocks(file.stat.size);
      add(counters.spilled, file.stat.size);
      counters.freedDiskBytes += wholeBlocks(file.stat.size);
      await turn();
    }
  } catch (error) {
    log.error(`the spill volume takes no more files: ${messageOf(error)}`, { directory: ports.directory });
  } finally {
    ledger.commit();
  }
  if (files > 0)
    log.warn('the disk is critical and nothing proved is left: the oldest files went to the spill volume', {
      files,
      bytes,
    });
  return files;
}

/** A walk that keeps the oldest. Files that are still written to stay, and proved ones: those are freed. */
async function oldestUnproved(ports: SpillPorts): Promise<FoundFile[]> {
  const { root, clock, signal, ledger, settleMs } = ports;
  let kept: FoundFile[] = [];
  const oldest = (files: FoundFile[]): FoundFile[] =>
    files.sort((a, b) => arrivedMs(a.stat) - arrivedMs(b.stat)).slice(0, CANDIDATES);
  const cpuShare = Math.max(ports.cpuShare, LEAST_CPU_SHARE);
  // A name that a kill left behind is the patrol's to give back.
  const walk = startWalk({ root, clock, cpuShare, signal, onAside: () => {} });
  for await (const batch of walk.batches) {
    const nowMs = clock.now();
    for (const file of batch)
      if (settledAtMs(file.stat, nowMs, settleMs) <= nowMs && ledger.knows(file.path, file.stat) !== 'proved')
        kept.push(file);
    if (kept.length > 2 * CANDIDATES) kept = oldest(kept);
  }
  return oldest(kept);
}

/** Whether the file is on the spill volume now and gone here. Throws what the spill volume says, e.g. ENOSPC. */
async function spillFile(ports: SpillPorts, { path, stat }: FoundFile): Promise<boolean> {
  const { root, directory, signal } = ports;
  const here = `${root}/${path}`;
  const there: BytePath = `${toBytePath(spilledFiles(directory))}/${path}`;
  let sha256: string;
  try {
    ({ sha256 } = await digestFile(here, stat, signal));
  } catch (error) {
    if (error instanceof ReadError) return false;
    throw error;
  }
  if (!(await copyTo(ports, here, there, stat, sha256))) return false;
  switch (freeFile(root, path, stat, isLarge(stat.size) ? {} : { sha256 })) {
    case 'freed':
      return true;
    case 'vanished':
    case 'refused':
      return false;
    case 'changed':
      // The writer went on: what was copied is no longer the file.
      rmSync(toSystemPath(there), { force: true });
      return false;
  }
}

/** Whether a whole and durable copy stands at `there`. A name that other content has there is left to it. */
async function copyTo(
  { directory, signal }: SpillPorts,
  here: BytePath,
  there: BytePath,
  stat: FileStat,
  sha256: string,
): Promise<boolean> {
  const copy = join(unfinished(directory), 'copy');
  const isSame = async (path: BytePath): Promise<boolean> => {
    const found = lookAgain(parentOf(path), path.slice(parentOf(path).length + 1));
    return found !== undefined && (await digestFile(path, found, signal)).sha256 === sha256;
  };
  if (lstatSync(toSystemPath(there), { throwIfNoEntry: false }) !== undefined) return isSame(there);
  try {
    await copyFile(toSystemPath(here), copy);
    // Its key is made of this time, here as there.
    utimesSync(copy, stat.mtimeMs / 1_000, stat.mtimeMs / 1_000);
    sync(copy);
    if (!(await isSame(toBytePath(copy)))) return false;
    mkdirSync(toSystemPath(parentOf(there)), { recursive: true });
    linkSync(copy, toSystemPath(there));
    sync(parentOf(there));
    return true;
  } catch (error) {
    // The original vanished, or the name was taken at this very moment.
    if (error instanceof ReadError || ['ENOENT', 'EEXIST'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  } finally {
    rmSync(copy, { force: true });
  }
}

/** Waits until a file's content, or a directory's names, are on the disk. */
function sync(path: BytePath): void {
  const fd = openSync(toSystemPath(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
