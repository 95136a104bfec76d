// Trying again: full jitter, the server's Retry-After as a floor, a deadline, and a budget shared by all calls so that a
// store in trouble is not hit harder for being in trouble.
import type { Clock } from './clock.ts';
import { isTransient, StoreError } from './errors.ts';

export interface RetryPolicy {
  readonly baseMs: number;
  readonly capMs: number;
  /** No try starts later than this after the first one. */
  readonly deadlineMs: number;
  /** Tries after the first one at most. @default no limit but the deadline */
  readonly retries?: number | undefined;
}

/** An error that a later call may not meet, with the wait its sender asked for. */
export interface Retriable {
  readonly retryAfterMs: number | undefined;
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

export function createRetrier<E extends Retriable = StoreError>(options: {
  readonly clock: Clock;
  readonly budget: RetryBudget;
  readonly policy?: RetryPolicy;
  readonly random?: () => number;
  /** The error itself when the same call may succeed if made again. @default a store's transient faults */
  readonly judge?: (error: unknown) => E | undefined;
  readonly onRetry?: (error: E, waitMs: number) => void;
  /** Told of every call that succeeded, and of every one that failed. */
  readonly onSuccess?: () => void;
  readonly onFailure?: (error: unknown) => void;
}): Retrier {
  const { clock, budget, policy = DEFAULT_RETRY, random = Math.random } = options;
  // Without a judge E is StoreError.
  const judge = options.judge ?? (transientStoreError as (error: unknown) => E | undefined);
  const { retries = Number.POSITIVE_INFINITY } = policy;
  const tryAgain = async <T>(
    call: () => Promise<T>,
    first: unknown,
    startedMs: number,
    signal?: AbortSignal,
  ): Promise<T> => {
    let error = first;
    for (let attempt = 1; ; attempt += 1) {
      options.onFailure?.(error);
      const again = judge(error);
      if (again === undefined || signal?.aborted || attempt > retries) throw error;
      const waitMs = backoffMs(attempt, policy, random, again.retryAfterMs);
      if (clock.now() + waitMs - startedMs > policy.deadlineMs || !budget.take()) throw error;
      options.onRetry?.(again, waitMs);
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
      (error: unknown) => tryAgain(call, error, startedMs, signal),
    );
  };
}

function transientStoreError(error: unknown): StoreError | undefined {
  return isTransient(error) ? error : undefined;
}
