// A clock whose time the test moves: nothing passes until it says so, and sleepers wake in the order of their times.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../app/core/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on; each sleeper wakes at its own instant and its work of that turn is done before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock as an operator would, also back; sleepers stay due after the same time. */
  set(nowMs: number): void;
  /** How many sleep now. */
  readonly sleeping: number;
  /** What was asked for by every sleep so far, milliseconds. */
  readonly slept: readonly number[];
}

export interface FakeClockOptions {
  /** Default: 2026-11-20T13:00:00Z. */
  readonly startMs?: number;
  /** Time moves on by itself as soon as somebody sleeps: no sleep waits. Default false. */
  readonly runsAlong?: boolean;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  let wallOffsetMs = options.startMs ?? Date.UTC(2026, 10, 20, 13);
  let elapsedMs = 0;
  const sleepers = new Set<Sleeper>();
  const slept: number[] = [];

  const earliest = (upToMs: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers)
      if (sleeper.atMs <= upToMs && (first === undefined || sleeper.atMs < first.atMs)) first = sleeper;
    return first;
  };

  return {
    now: () => wallOffsetMs + elapsedMs,
    sleep(ms, signal) {
      slept.push(ms);
      if (signal?.aborted) return Promise.resolve();
      if (options.runsAlong) {
        elapsedMs += ms;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { atMs: elapsedMs + Math.max(0, ms), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      });
    },
    async advance(ms) {
      const endMs = elapsedMs + ms;
      for (;;) {
        await turn();
        const sleeper = earliest(endMs);
        if (sleeper === undefined) break;
        elapsedMs = Math.max(elapsedMs, sleeper.atMs);
        sleeper.wake();
      }
      elapsedMs = endMs;
    },
    set(nowMs) {
      wallOffsetMs = nowMs - elapsedMs;
    },
    get sleeping() {
      return sleepers.size;
    },
    slept,
  };
}
