// When a request may start: not more at once than the API bears, not more a second than it allows.
import type { Clock } from '../core/clock.ts';
import { createLimiter } from '../core/limiter.ts';
import { ApiError } from './api/errors.ts';

export interface Pace {
  /** Runs the call as soon as it may start. Rejects with the call's own error, or ApiError `aborted` before it began. */
  run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly inFlight: number;
  /** Requests at once that the API seems to bear. */
  readonly limit: number;
}

export function createPace(options: {
  readonly clock: Clock;
  readonly concurrency: number;
  readonly perSecond?: number | undefined;
  readonly random?: () => number;
}): Pace {
  const { clock } = options;
  const limiter = createLimiter(options.concurrency, options.random, { seeks: true });
  let waiting: (() => void)[] = [];
  const gapMs = options.perSecond === undefined ? 0 : 1_000 / options.perSecond;
  let nextStartMs = 0;

  /** Also resolves when the signal aborts. */
  async function untilOneEnds(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    await promise;
    signal.removeEventListener('abort', onAbort);
  }

  async function mayStart(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw new ApiError('aborted', 'Ferry is stopping');
      const nowMs = clock.now();
      // A clock that was set back must not stop everything.
      if (nextStartMs - nowMs > 10 * gapMs + 1_000) nextStartMs = nowMs;
      if (!limiter.mayStart(nowMs)) {
        const isPause = limiter.isProbing && limiter.inFlight === 0;
        if (isPause) await clock.sleep(Math.max(1, limiter.notBeforeMs - nowMs), signal);
        else await untilOneEnds(signal);
        continue;
      }
      if (nextStartMs <= nowMs) {
        nextStartMs = Math.max(nextStartMs, nowMs - gapMs) + gapMs;
        limiter.started();
        return;
      }
      await clock.sleep(nextStartMs - nowMs, signal);
    }
  }

  return {
    async run(call, signal) {
      await mayStart(signal);
      try {
        const result = await call();
        limiter.ended('ok', clock.now());
        return result;
      } catch (error) {
        const isApi = error instanceof ApiError;
        const isTrouble = isApi && error.isOverload;
        // A refusal is an answer: it says that the API keeps up.
        limiter.ended(isTrouble ? 'overloaded' : isApi && error.status > 0 ? 'ok' : 'neutral', clock.now());
        throw error;
      } finally {
        const all = waiting;
        waiting = [];
        for (const wake of all) wake();
      }
    },
    get inFlight() {
      return limiter.inFlight;
    },
    get limit() {
      return limiter.limit;
    },
  };
}
