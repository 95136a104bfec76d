// Loops that nothing ends but a stop: an error is told and tried again.
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** After an error, doubled for each that follows it. */
const AFTER_ERROR_MS = 1_000;
const AFTER_ERRORS_MAX_MS = 60_000;

/** Repeats `turn` until the signal aborts. Never rejects. */
export async function repeat(
  options: {
    readonly what: string;
    readonly signal: AbortSignal;
    readonly clock: Clock;
    readonly log: Log;
    /** Called after each turn. */
    readonly onTurn?: () => void;
  },
  turn: () => Promise<void>,
): Promise<void> {
  const { what, signal, clock, log } = options;
  let told = '';
  let errors = 0;
  while (!signal.aborted) {
    try {
      await turn();
      told = '';
      errors = 0;
    } catch (error) {
      if (signal.aborted) return;
      // The same trouble every second is told once.
      if (messageOf(error) !== told) log.error(`${what}: ${messageOf(error)}`, { error });
      told = messageOf(error);
      await clock.sleep(Math.min(AFTER_ERRORS_MAX_MS, AFTER_ERROR_MS * 2 ** Math.min(errors, 10)), signal);
      errors += 1;
    }
    options.onTurn?.();
  }
}

/** A signal that aborts after `ms` by this clock, or with `signal`. */
export function deadline(clock: Clock, ms: number, signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  void clock.sleep(ms, signal).then(() => controller.abort());
  return controller.signal;
}

/** Resolves when the signal aborts; at once if it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
