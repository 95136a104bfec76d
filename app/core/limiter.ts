// How many calls may be in flight: grows while the store keeps up, halves when it pushes back or when its answers become
// slow, and becomes one careful probe at a time while nothing succeeds.
import { backoffMs } from './retry.ts';

/** How a call ended, as far as the store's capacity goes. `neutral`: says nothing about the store (a vanished file). */
export type CallOutcome = 'ok' | 'overloaded' | 'refused' | 'neutral';

export interface Limiter {
  /** Whether another call may start now. */
  mayStart(nowMs: number): boolean;
  /** While nothing succeeds: when the next probe may start, wall clock in milliseconds; otherwise 0. */
  readonly notBeforeMs: number;
  started(): void;
  /** `tookMs`: of a small call that went through at once; others say nothing about how fast the store answers. */
  ended(outcome: CallOutcome, nowMs: number, tookMs?: number): void;
  /** A call was pushed back and is made again: it is still in flight. */
  pushedBack(nowMs: number): void;
  /** Nothing succeeds: one call at a time, at intervals. */
  readonly isProbing: boolean;
  readonly inFlight: number;
  readonly limit: number;
  /** Calls failed in a row with no success between. */
  readonly failuresInARow: number;
}

/** So many failures with no success between them mean that the store, not a file, is the trouble. */
const OUTAGE_AFTER_FAILURES = 8;
const PROBE_BACKOFF = { baseMs: 500, capMs: 30_000 };

export interface LimiterOptions {
  /**
   * Starts with one call, and remembers where it was pushed back: it goes up to just below that level quickly, stays
   * there for some rounds, and only then tries one more. For a server whose limit is not known. @default false: starts
   * at the maximum and grows by one a round
   */
  readonly seeks?: boolean;
}

/** A round is slow when most of its calls took this long, and so many times the least that a call has taken. */
const SLOW_MS = 500;
const SLOW_TIMES = 4;
/** Slowness alone leaves this share of the maximum: it is no refusal. */
const SLOW_LEAVES = 1 / 4;
/** The least grows so much a round: a way that became ten times longer for good is no longer slow after some 60 rounds. */
const FORGETS = 1.04;

/** Rounds at the last level known to be borne before one more is tried. */
const ROUNDS_BEFORE_MORE = 8;

export function createLimiter(
  max: number,
  random: () => number = Math.random,
  { seeks = false }: LimiterOptions = {},
): Limiter {
  let limit = seeks ? 1 : max;
  /** In flight when it was last pushed back. */
  let ceiling = Number.POSITIVE_INFINITY;
  let inFlight = 0;
  let failuresInARow = 0;
  let notBeforeMs = 0;
  let halvedAtMs = Number.NEGATIVE_INFINITY;
  /** Answers to come of what was in flight at the halving: they say what is known by then. */
  let answersKnown = 0;
  let leastMs = Number.POSITIVE_INFINITY;
  let round = { calls: 0, slow: 0, leastMs: Number.POSITIVE_INFINITY };
  const growth = (): number => {
    if (!seeks || limit >= ceiling) return 1 / limit;
    return limit < ceiling - 1 ? Math.min(1, ceiling - 1 - limit) : 1 / limit / ROUNDS_BEFORE_MORE;
  };
  /** What pushes back hits every call in flight; it is one signal, not many. */
  const halve = (nowMs: number): void => {
    if (answersKnown > 0 && nowMs >= halvedAtMs && nowMs - halvedAtMs <= 1_000) return;
    ceiling = Math.max(2, Math.floor(limit));
    limit = Math.max(1, limit / 2);
    halvedAtMs = nowMs;
    answersKnown = inFlight;
  };
  const measure = (tookMs: number, nowMs: number): void => {
    round.calls += 1;
    if (tookMs > Math.max(SLOW_MS, SLOW_TIMES * leastMs)) round.slow += 1;
    round.leastMs = Math.min(round.leastMs, tookMs);
    if (round.calls < limit) return;
    if (round.slow * 2 > round.calls) {
      limit = Math.max(Math.min(limit, max * SLOW_LEAVES), limit / 2, 1);
      halvedAtMs = nowMs;
      answersKnown = inFlight;
    }
    // Of nothing the least could not grow again.
    leastMs = Math.max(1, Math.min(leastMs * FORGETS, round.leastMs));
    round = { calls: 0, slow: 0, leastMs: Number.POSITIVE_INFINITY };
  };
  return {
    mayStart(nowMs) {
      if (failuresInARow >= OUTAGE_AFTER_FAILURES) {
        // A clock that was set back must not stretch the pause.
        const isOver = nowMs >= notBeforeMs || notBeforeMs - nowMs > PROBE_BACKOFF.capMs;
        return inFlight === 0 && isOver;
      }
      return inFlight < Math.floor(limit);
    },
    started() {
      inFlight += 1;
    },
    ended(outcome, nowMs, tookMs) {
      const isKnown = answersKnown > 0;
      inFlight -= 1;
      answersKnown -= 1;
      if (outcome === 'ok') {
        limit = failuresInARow >= OUTAGE_AFTER_FAILURES ? Math.min(max, 2) : Math.min(max, limit + growth());
        failuresInARow = 0;
        notBeforeMs = 0;
        if (tookMs !== undefined && !isKnown) measure(tookMs, nowMs);
        return;
      }
      if (outcome === 'neutral') return;
      failuresInARow += 1;
      if (outcome === 'overloaded') halve(nowMs);
      if (failuresInARow >= OUTAGE_AFTER_FAILURES) {
        const ceilingMs = backoffMs(failuresInARow - OUTAGE_AFTER_FAILURES + 1, PROBE_BACKOFF, () => 1);
        notBeforeMs = nowMs + ceilingMs * (0.5 + random() / 2);
      }
    },
    pushedBack(nowMs) {
      halve(nowMs);
      answersKnown -= 1;
    },
    get notBeforeMs() {
      return notBeforeMs;
    },
    get isProbing() {
      return failuresInARow >= OUTAGE_AFTER_FAILURES;
    },
    get inFlight() {
      return inFlight;
    },
    get limit() {
      return limit;
    },
    get failuresInARow() {
      return failuresInARow;
    },
  };
}
