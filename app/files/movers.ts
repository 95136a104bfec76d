// A mover, and with a spill volume a second one: it sends what was moved there with the same keys and the same proofs,
// and frees it as soon as it is proved. To the outside they are one.
import { join } from 'node:path';
import { FerryError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type Mover, startMover } from './mover.ts';
import type { MoverOptions } from './parts.ts';
import type { FilesSettings } from './settings.ts';
import type { FilesSnapshot, Tally } from './snapshot.ts';
import { prepareSpill, spilledFiles } from './spill.ts';

/** Rejects with FerryError when a ledger or the spill directory cannot be used. */
export async function startMovers(options: MoverOptions): Promise<Mover> {
  const { settings, log } = options;
  if (settings.spill === undefined || settings.dryRun) return startMover(options);
  try {
    prepareSpill(settings.spill);
  } catch (error) {
    throw new FerryError(
      'config',
      `The spill directory ${settings.spill} cannot be used: ${messageOf(error)}`,
      'Mount a volume there that this user may write to, or leave --spill out.',
      { cause: error },
    );
  }
  const mover = await startMover(options);
  const spill = await startMover({
    ...options,
    spilled: true,
    settings: spillSettings(settings, settings.spill),
    log: named('spill volume', log),
  }).catch((error: unknown) => {
    mover.kill();
    throw error;
  });
  const both = [mover, spill];
  const kill = (): void => {
    for (const one of both) one.kill();
  };
  // What ends one ends both: a wrong bucket is as wrong for the other.
  const done = Promise.all(both.map(({ done }) => done)).then(
    ([exit = 'ok', ofSpill = 'ok']) => (exit === 'ok' ? ofSpill : exit),
    async (error: unknown) => {
      kill();
      await Promise.allSettled(both.map(({ done }) => done));
      throw error;
    },
  );
  return {
    snapshot: () => withSpill(mover.snapshot(), spill.snapshot()),
    done,
    drain() {
      for (const one of both) one.drain();
    },
    kill,
    get turnedAtMs() {
      return Math.min(mover.turnedAtMs, spill.turnedAtMs);
    },
    files: mover.files,
  };
}

/** Its disk has no limit but its own, and nobody looks for the shift's files there. */
function spillSettings(settings: FilesSettings, directory: string): FilesSettings {
  return {
    ...settings,
    source: spilledFiles(directory),
    state: join(settings.state, 'spill'),
    retentionMs: 0,
    volumeLimitBytes: undefined,
    spill: undefined,
  };
}

function withSpill(
  now: FilesSnapshot,
  { backlog, unproved, settling, retained, total }: FilesSnapshot,
): FilesSnapshot {
  const waiting: Tally = {
    files: backlog.files + unproved.files + settling + retained.files,
    bytes: backlog.bytes + unproved.bytes + retained.bytes,
  };
  const ofBoth = {
    listingFallbacks: now.total.listingFallbacks + total.listingFallbacks,
    receiptObjects: now.total.receiptObjects + total.receiptObjects,
    receiptLinesLost: now.total.receiptLinesLost + total.receiptLinesLost,
  };
  return {
    ...now,
    total: { ...now.total, ...ofBoth },
    spill: { moved: now.spill?.moved ?? { files: 0, bytes: 0 }, waiting },
  };
}

function named(name: string, log: Log): Log {
  const tell =
    (level: keyof Log): Log[keyof Log] =>
    (message, fields) =>
      log[level](`${name}: ${message}`, fields);
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
}
