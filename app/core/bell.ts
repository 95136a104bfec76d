// Waiting for something to happen rather than for time to pass.

import type { Clock } from './clock.ts';

/** Rung by who knows that something changed, waited for by who wants to look again. A ring is never lost. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once if one came since the last wait, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** The same, and at the latest after `ms`. */
  waitAtMost(clock: Clock, ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = false;
  const sleepers = new Set<() => void>();
  const wait = async (signal: AbortSignal, sleep?: (wake: AbortSignal) => Promise<void>): Promise<void> => {
    if (!rung && !signal.aborted) {
      const wake = new AbortController();
      const rouse = (): void => wake.abort();
      sleepers.add(rouse);
      signal.addEventListener('abort', rouse, { once: true });
      await (sleep
        ? sleep(wake.signal)
        : new Promise<void>((resolve) => (wake.signal.onabort = () => resolve())));
      signal.removeEventListener('abort', rouse);
      sleepers.delete(rouse);
    }
    rung = false;
  };
  return {
    ring() {
      rung = true;
      for (const rouse of sleepers) rouse();
    },
    wait: (signal) => wait(signal),
    waitAtMost: (clock, ms, signal) => wait(signal, (wake) => clock.sleep(ms, wake)),
  };
}
