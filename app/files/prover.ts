// Proving in passes, one at a time, whoever asks: the loop, a full disk, the end of a run.
import type { Bell } from '../core/bell.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, StoreError } from '../core/errors.ts';
import { PAGE_MAX_OBJECTS } from '../core/listing.ts';
import type { Log } from '../core/log.ts';
import { whenAborted } from '../core/loop.ts';
import type { Backoff } from './backoff.ts';
import { add, type Counters } from './counters.ts';
import type { BytePath } from './paths.ts';
import { type ProvePorts, proveOnce } from './prove.ts';

export interface ProverPorts extends Omit<ProvePorts, 'onProved' | 'onMissing' | 'onDoubtful'> {
  readonly backoff: Backoff;
  readonly log: Log;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly proveEveryMs: number;
  /** A file was proved. */
  readonly onProved: (path: BytePath) => void;
  /** A pass reached its end. */
  readonly onAllProved: () => void;
  /** Rung when a file must be sent again. */
  readonly backlogBell: Bell;
}

export interface Prover {
  /** One pass over everything unproved; a pass under way is waited for first. Answers whether it reached the end. */
  prove(signal?: AbortSignal): Promise<boolean>;
  /** Whether a pass may come before its time, because the disk needs it: not every second. */
  mayForce(nowMs: number): boolean;
  /** Whether a pass is worth its listings now. */
  isDue(unprovedFiles: number, nowMs: number): boolean;
}

/** For each page it lists, between passes that a full disk asks for. */
const FORCED_PAUSE_MS = 10_000;
/** A pass is worth its requests when it proves so many files for each page it lists. */
const FILES_PER_PAGE = 2_000;
/** Fewer are not worth a pass before its time. */
const FILES_MIN = 2_000;

export function createProver(ports: ProverPorts): Prover {
  const { ledger, counters, log } = ports;
  let running: Promise<boolean> | undefined;
  let lastWastedPages = 1;
  let lastEndMs = Number.NEGATIVE_INFINITY;

  // A clock that was set back must not stretch the pause.
  const isOver = (nowMs: number, pauseMs: number): boolean =>
    nowMs < lastEndMs || nowMs - lastEndMs >= pauseMs;

  const pass = async (signal: AbortSignal): Promise<boolean> => {
    const pagesBefore = counters.listings;
    const provedBefore = counters.proved.files;
    let missing: string | undefined;
    let missingFiles = 0;
    let doubtful: string | undefined;
    try {
      if (ledger.totals.unprovedFiles === 0) return true;
      await proveOnce({
        ...ports,
        signal,
        onProved(row) {
          add(counters.proved, row.stat.size);
          ports.onProved(row.path);
        },
        onMissing(row) {
          counters.vanishedObjects += 1;
          missing ??= row.key;
          missingFiles += 1;
          // Somebody may take objects away as they come: each file waits longer each time.
          ports.backoff.failed(
            row.path,
            'object-vanished',
            `${row.key} was sent and is gone`,
            ports.clock.now(),
          );
          ports.backlogBell.ring();
        },
        onDoubtful(row) {
          doubtful ??= row.key;
        },
      });
      if (missing !== undefined) {
        log.warn('objects that were sent are not in a complete listing; their files are sent again', {
          files: missingFiles,
          example: missing,
        });
      }
      if (doubtful !== undefined) {
        log.warn('objects are there with another ETag than they were given; their files are not freed', {
          example: doubtful,
        });
      }
      if (!signal.aborted) ports.onAllProved();
      return !signal.aborted;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof StoreError) counters.listingFailures += 1;
      log.warn(`nothing could be proved: ${messageOf(error)}`);
      return false;
    } finally {
      const usedPages = Math.ceil((counters.proved.files - provedBefore) / PAGE_MAX_OBJECTS);
      lastWastedPages = Math.max(1, counters.listings - pagesBefore - usedPages);
      lastEndMs = ports.clock.now();
    }
  };

  return {
    async prove(signal = ports.signal) {
      while (running) {
        if (signal.aborted) return false;
        await Promise.race([running, whenAborted(signal)]);
      }
      if (signal.aborted) return false;
      running = pass(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
    // Names that come in no order make each pass list the whole partition: then passes come further apart, so that over
    // time there is one page for each interval or one for each 2,000 files, whichever allows more.
    isDue: (unprovedFiles, nowMs) =>
      unprovedFiles >= Math.max(FILES_MIN, FILES_PER_PAGE * lastWastedPages) ||
      (unprovedFiles > 0 && isOver(nowMs, ports.proveEveryMs * lastWastedPages)),
    mayForce: (nowMs) => isOver(nowMs, Math.min(ports.proveEveryMs, FORCED_PAUSE_MS) * lastWastedPages),
  };
}
