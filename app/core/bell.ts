// Waiting for something to happen rather than for time to pass.
import type { Clock } from './clock.ts';

/** Rung by who knows that something changed, waited for by who wants to look again. A ring is never lost. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once if one came since the last wait, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** The same, and at the latest after `ms`. Answers whether it was rung. */
  waitAtMost(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean>;
}

export function createBell(): Bell {
  let rung = false;
  let sleepers = new Set<() => void>();
  const rouseAll = (): void => {
    const roused = sleepers;
    // A new Set: one that is cleared keeps its old tables, and who slept in them, until the next full collection.
    sleepers = new Set();
    for (const rouse of roused) rouse();
  };
  const watched = new WeakSet<AbortSignal>();
  // One listener for each signal, however often somebody waits.
  const watch = (signal: AbortSignal): void => {
    if (watched.has(signal)) return;
    watched.add(signal);
    signal.addEventListener('abort', rouseAll, { once: true });
  };
  return {
    ring() {
      rung = true;
      if (sleepers.size > 0) rouseAll();
    },
    async wait(signal) {
      if (!rung && !signal.aborted) {
        watch(signal);
        await new Promise<void>((resolve) => sleepers.add(resolve));
      }
      rung = false;
    },
    async waitAtMost(clock, ms, signal) {
      if (!rung && !signal.aborted) {
        watch(signal);
        const wake = new AbortController();
        const rouse = (): void => wake.abort();
        sleepers.add(rouse);
        await clock.sleep(ms, wake.signal);
        sleepers.delete(rouse);
      }
      const wasRung = rung;
      rung = false;
      return wasRung;
    },
  };
}
