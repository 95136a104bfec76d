// Trying again: full jitter, the server's Retry-After as a floor, a deadline, and a budget shared by all calls so that a
// store in trouble is not hit harder for being in trouble.
import type { Clock } from './clock.ts';
import { isTransient, StoreError } from './errors.ts';

export interface RetryPolicy {
  readonly baseMs: number;
  readonly capMs: number;
  /** No try starts later than this after the first one. */
  readonly deadlineMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { baseMs: 100, capMs: 10_000, deadlineMs: 60_000 };

/** Tokens for retries: each costs one, each first-try success gives a tenth back. Empty: errors pass at once. */
export interface RetryBudget {
  take(): boolean;
  succeeded(): void;
  readonly tokens: number;
}

export function createRetryBudget(capacity = 100): RetryBudget {
  let tokens = capacity;
  return {
    take() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    succeeded() {
      tokens = Math.min(capacity, tokens + 0.1);
    },
    get tokens() {
      return tokens;
    },
  };
}

/**
 * How long to wait before try number `attempt` (1 is the first retry), milliseconds: uniformly between 0 and an
 * exponential ceiling ("full jitter", AWS Architecture Blog, "Exponential Backoff and Jitter"), never less than the
 * server asked for.
 */
export function backoffMs(
  attempt: number,
  policy: Pick<RetryPolicy, 'baseMs' | 'capMs'>,
  random: () => number,
  retryAfterMs = 0,
): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(retryAfterMs, Math.round(random() * ceiling));
}

/** Runs `call` until it succeeds, fails for good, or deadline, budget or signal end it; then rejects with its last error. */
export type Retrier = <T>(call: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export function createRetrier(options: {
  readonly clock: Clock;
  readonly budget: RetryBudget;
  readonly policy?: RetryPolicy;
  readonly random?: () => number;
  readonly onRetry?: (error: StoreError, waitMs: number) => void;
  /** Told of every call that succeeded, and of every one that failed. */
  readonly onSuccess?: () => void;
  readonly onFailure?: (error: unknown) => void;
}): Retrier {
  const { clock, budget, policy = DEFAULT_RETRY, random = Math.random } = options;
  const again = async <T>(
    call: () => Promise<T>,
    first: unknown,
    startedMs: number,
    signal?: AbortSignal,
  ): Promise<T> => {
    let error = first;
    for (let attempt = 1; ; attempt += 1) {
      options.onFailure?.(error);
      if (!isTransient(error) || signal?.aborted) throw error;
      const waitMs = backoffMs(attempt, policy, random, error.retryAfterMs);
      if (clock.now() + waitMs - startedMs > policy.deadlineMs || !budget.take()) throw error;
      options.onRetry?.(error, waitMs);
      await clock.sleep(waitMs, signal);
      if (signal?.aborted)
        throw new StoreError('aborted', 'The call was given up: Ferry is stopping.', { cause: error });
      try {
        const result = await call();
        options.onSuccess?.();
        return result;
      } catch (next) {
        error = next;
      }
    }
  };
  // A first try that succeeds, which is nearly every one, costs one promise and no async frame.
  return (call, signal) => {
    const startedMs = clock.now();
    return call().then(
      (result) => {
        budget.succeeded();
        options.onSuccess?.();
        return result;
      },
      (error: unknown) => again(call, error, startedMs, signal),
    );
  };
}
