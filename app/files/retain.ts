// Retaining and freeing: files stay for the retention, and go before it only when the disk is near its limit: proved
// ones, oldest first, never another.
import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, monotonicMs } from '../core/clock.ts';
import { bytesToFree, inodesToFree, wholeBlocks } from '../core/disk.ts';
import type { Log } from '../core/log.ts';
import type { Backoff } from './backoff.ts';
import { add, type Counters } from './counters.ts';
import { freeFile } from './free.ts';
import type { Ledger, LedgerRow } from './ledger/ledger.ts';
import type { Parts } from './parts.ts';
import { type BytePath, toText } from './paths.ts';
import { contentStands, digestFile, isLarge, ReadError } from './read.ts';
import type { Receipts } from './receipts/receipts.ts';
import type { FilesSettings } from './settings.ts';
import type { Sightings } from './sightings.ts';
import { spillOldest } from './spill.ts';

export interface RetainPorts {
  readonly root: BytePath;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly counters: Counters;
  /** Of deletes that the directory refused. */
  readonly refused: Backoff;
  readonly receipts: Pick<Receipts, 'freed'>;
  readonly signal: AbortSignal;
}

export interface FreeResult {
  /** Allocated bytes, estimated from the sizes, and files. */
  readonly freedBytes: number;
  readonly freedFiles: number;
  /** Rows of an earlier run whose file was hashed again: they must be listed again before they may go. */
  readonly toProve: number;
}

const ROWS_AT_ONCE = 500;
/** Files are read, renamed and deleted in one stretch no longer than this: a slow disk must not hold up the rest. */
const SLICE_MS = 8;

/**
 * Frees proved files that arrived up to then, oldest first, until `enough` says so. A row that an earlier run proved is
 * not believed: its file is hashed again now and freed after the next listing.
 */
export async function freeProved(
  ports: RetainPorts,
  arrivedUpToMs: number,
  early: boolean,
  enough: (freedBytes: number, freedFiles: number) => boolean,
): Promise<FreeResult> {
  const { ledger, signal } = ports;
  let freedBytes = 0;
  let freedFiles = 0;
  let toProve = 0;
  let after: LedgerRow | undefined;
  let turnedMs = monotonicMs();
  while (!signal.aborted && !enough(freedBytes, freedFiles)) {
    const rows = ledger.proved(arrivedUpToMs, after, ROWS_AT_ONCE);
    for (const row of rows) {
      if (monotonicMs() - turnedMs >= SLICE_MS) {
        await turn();
        turnedMs = monotonicMs();
      }
      if (signal.aborted || enough(freedBytes, freedFiles)) break;
      if (!ports.refused.mayTry(row.path, ports.clock.now()) || !ledger.stands(row)) continue;
      if (!row.thisRun) {
        if (await hashAgain(ports, row)) toProve += 1;
      } else if (await freeRow(ports, row, early)) {
        freedFiles += 1;
        freedBytes += wholeBlocks(row.stat.size);
      }
    }
    ledger.commit();
    after = rows.at(-1);
    if (after === undefined) break;
    await turn();
  }
  return { freedBytes, freedFiles, toProve };
}

/** Frees what may go in this run; answers whether a listing would let more go. */
export async function free(parts: Parts): Promise<boolean> {
  const { settings, sightings, ledger, stop } = parts;
  if (settings.keep || settings.dryRun) {
    sightings.readDisk();
    return false;
  }
  const ports: RetainPorts = { ...parts, root: parts.finder.root, signal: stop.signal };
  const { toProve, short } = await freeDue(ports, settings, sightings);
  if (short && settings.spill !== undefined) await spillDue(ports, settings, settings.spill, sightings);
  const mayForce = parts.prover.mayForce(parts.clock.now());
  return toProve > 0 || (short && ledger.totals.unprovedFiles > 0 && mayForce);
}

/** The last resort before the volume is full: what is not proved goes elsewhere, as far as the level asks for. */
async function spillDue(
  ports: RetainPorts,
  settings: FilesSettings,
  directory: string,
  sightings: Sightings,
): Promise<void> {
  const { disk } = sightings;
  if (disk?.level !== 'critical') return;
  const bytes = bytesToFree(disk, settings);
  const inodes = inodesToFree(disk, settings);
  const { settleMs, walkCpuShare: cpuShare } = settings;
  const enough = (spilledBytes: number, files: number): boolean => spilledBytes >= bytes && files >= inodes;
  if ((await spillOldest({ ...ports, directory, settleMs, cpuShare }, enough)) > 0) sightings.readDisk();
}

/**
 * Frees what the disk's level and the retention ask for. Answers how many rows of earlier runs wait for a listing, and
 * whether the level asks for more than could be freed.
 */
export async function freeDue(
  ports: RetainPorts,
  settings: Pick<FilesSettings, 'retentionMs' | 'lowWatermark' | 'highWatermark' | 'criticalWatermark'>,
  sightings: Sightings,
): Promise<{ readonly toProve: number; readonly short: boolean }> {
  let toProve = 0;
  let short = false;
  const disk = sightings.readDisk();
  if (disk && disk.level !== 'ok') {
    const bytes = bytesToFree(disk, settings);
    const inodes = inodesToFree(disk, settings);
    const enough = (freedBytes: number, freedFiles: number): boolean =>
      freedBytes >= bytes && freedFiles >= inodes;
    const freed = await freeProved(ports, Number.POSITIVE_INFINITY, true, enough);
    toProve += freed.toProve;
    short = !enough(freed.freedBytes, freed.freedFiles);
    if (freed.freedFiles > 0) {
      ports.log.warn('the disk is near its limit: proved files were freed before their time', {
        files: freed.freedFiles,
        bytes: freed.freedBytes,
      });
      sightings.readDisk();
    }
  }
  const due = await freeProved(ports, ports.clock.now() - settings.retentionMs, false, () => false);
  return { toProve: toProve + due.toProve, short };
}

async function freeRow(ports: RetainPorts, row: LedgerRow, early: boolean): Promise<boolean> {
  const { root, ledger, counters, refused, clock } = ports;
  // A large file is hashed before, so that the loop turns; a small one in the very moment of the delete.
  if (isLarge(row.stat.size) && !(await hasRowContent(ports, row))) return false;
  const sha256 = isLarge(row.stat.size) ? undefined : row.sha256;
  switch (freeFile(root, row.path, row.stat, { sha256 })) {
    case 'freed':
      ledger.forget(row);
      ports.receipts.freed(row, early ? 'disk' : 'retention', clock.now());
      refused.clear(row.path);
      add(counters.freed, row.stat.size);
      counters.freedDiskBytes += wholeBlocks(row.stat.size);
      if (early) add(counters.freedEarly, row.stat.size);
      return true;
    case 'vanished':
      // Freed before a kill could be noted, or taken by somebody else: after either it is gone.
      ports.receipts.freed(row, 'gone', clock.now());
      ledger.forget(row);
      return false;
    case 'changed':
      // The row tells of content that is no longer there; the walk meets the file as it is now.
      ledger.forget(row);
      return false;
    case 'refused':
      counters.failures.set('cannot-delete', (counters.failures.get('cannot-delete') ?? 0) + 1);
      refused.failed(
        row.path,
        'cannot-delete',
        `${toText(row.path)} cannot be deleted: its directory is not writable for this user (uid ${process.getuid?.()})`,
        clock.now(),
      );
      return false;
  }
}

/** The row of an earlier run whose content stands waits for a listing of this run. */
async function hashAgain(ports: RetainPorts, row: LedgerRow): Promise<boolean> {
  if (!(await hasRowContent(ports, row))) return false;
  ports.ledger.remember({ ...row, proved: false, thisRun: true }, row);
  return true;
}

/** Whether the file still has the content that the row tells of; forgets the row if not. */
async function hasRowContent(ports: RetainPorts, row: LedgerRow): Promise<boolean> {
  const { ledger, root } = ports;
  try {
    const digests = await digestFile(`${root}/${row.path}`, row.stat, ports.signal);
    if (!ledger.stands(row)) return false;
    if (contentStands(ledger, row, digests)) return true;
    ledger.forget(row);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    if (error.fault === 'vanished') ports.receipts.freed(row, 'gone', ports.clock.now());
    if (error.fault === 'vanished' || error.fault === 'changed') {
      // What was sent from its place meanwhile is another row.
      if (ledger.stands(row)) ledger.forget(row);
    } else ports.refused.failed(row.path, error.fault, error.message, ports.clock.now());
  }
  return false;
}
