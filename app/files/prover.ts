// Proving in passes, one at a time, whoever asks: the loop, a full disk, the end of a run.
import type { Bell } from '../core/bell.ts';
import { messageOf, StoreError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { add, type Counters } from './counters.ts';
import { type ProvePorts, proveOnce } from './prove.ts';

export interface ProverPorts extends Omit<ProvePorts, 'onProved' | 'onMissing'> {
  readonly log: Log;
  readonly counters: Counters;
  /** A file was proved. */
  readonly onProved: () => void;
  /** A pass reached its end. */
  readonly onAllProved: () => void;
  /** Rung when a file must be sent again. */
  readonly backlogBell: Bell;
}

/** One pass over everything unproved; a pass under way is waited for first. Answers whether it reached the end. */
export type Prover = (signal?: AbortSignal) => Promise<boolean>;

export function createProver(ports: ProverPorts): Prover {
  const { ledger, counters, log } = ports;
  let running: Promise<boolean> | undefined;

  const pass = async (signal: AbortSignal): Promise<boolean> => {
    try {
      if (ledger.totals.unprovedFiles === 0) return true;
      await proveOnce({
        ...ports,
        signal,
        onProved(row) {
          add(counters.proved, row.stat.size);
          ports.onProved();
        },
        onMissing(row) {
          counters.vanishedObjects += 1;
          log.warn('an object that was sent is not in a complete listing; its file is sent again', {
            key: row.key,
          });
          ports.backlogBell.ring();
        },
      });
      if (!signal.aborted) ports.onAllProved();
      return !signal.aborted;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof StoreError) counters.listingFailures += 1;
      log.warn(`nothing could be proved: ${messageOf(error)}`);
      return false;
    }
  };

  return async (signal = ports.signal) => {
    while (running) {
      if (signal.aborted) return false;
      await Promise.race([running, aborted(signal)]);
    }
    if (signal.aborted) return false;
    running = pass(signal).finally(() => {
      running = undefined;
    });
    return running;
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
