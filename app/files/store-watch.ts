// Every call to the store goes through here: retried, and its outcome remembered for probes and people.
import type { Clock } from '../core/clock.ts';
import { messageOf, StoreError } from '../core/errors.ts';
import { tellOddPages } from '../core/listing.ts';
import type { Log } from '../core/log.ts';
import { createRetrier, createRetryBudget, DEFAULT_RETRY, type Retrier } from '../core/retry.ts';
import type { Store } from '../core/store.ts';
import type { Counters } from './counters.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { FilesSnapshot } from './snapshot.ts';

export interface StoreWatch {
  /** The store, which also knows from earlier runs whether ETags are MD5s: a listing alone cannot tell. */
  readonly store: Store;
  /** What the last call that reached the store said. */
  readonly state: FilesSnapshot['store'];
  /** Retries share one budget, whatever their deadline. `onFailure` is told of each call that failed, made again or not. */
  retrier(options?: { deadlineMs?: number; onFailure?: (error: unknown) => void }): Retrier;
}

/** A store that fails now and then is told of so often; its state is exact all the while. */
const TOLD_EVERY_MS = 10_000;

export function watchStore(
  store: Store,
  ledger: Ledger,
  counters: Counters,
  clock: Clock,
  log: Log,
): StoreWatch {
  const budget = createRetryBudget();
  let state: FilesSnapshot['store'];
  let told = false;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  const succeeded = (): void => {
    if (!store.etagIsMd5) ledger.etagIsMd5 = false;
    if (state?.ok) return;
    if (told) log.info('the store answers again');
    told = false;
    state = { ok: true, sinceMs: clock.now() };
  };
  const failed = (error: unknown): void => {
    // A stop and a file that S3 cannot take say nothing about the store.
    if (!(error instanceof StoreError) || error.fault === 'aborted' || error.fault === 'bad-request') return;
    const nowMs = clock.now();
    if (!told && (nowMs < toldAtMs || nowMs - toldAtMs >= TOLD_EVERY_MS)) {
      log.warn(`the store: ${messageOf(error)}`);
      told = true;
      toldAtMs = nowMs;
    }
    const sinceMs = state?.ok === false ? state.sinceMs : nowMs;
    state = { ok: false, fault: error.fault, message: error.message, sinceMs };
  };

  const telling = tellOddPages(store, log, () => {
    counters.listingFallbacks += 1;
  });
  return {
    store: Object.create(telling, { etagIsMd5: { get: () => ledger.etagIsMd5 && store.etagIsMd5 } }),
    get state() {
      return state;
    },
    retrier({ deadlineMs = DEFAULT_RETRY.deadlineMs, onFailure } = {}) {
      return createRetrier({
        clock,
        budget,
        policy: { ...DEFAULT_RETRY, deadlineMs },
        onSuccess: succeeded,
        onFailure(error) {
          failed(error);
          onFailure?.(error);
        },
        onRetry: (error, waitMs) =>
          log.debug('trying again', { fault: error.fault, waitMs, why: error.message }),
      });
    },
  };
}
