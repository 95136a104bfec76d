// Ctrl-C: the first asks to stop, a second one does not wait.
import { type Clock, monotonicMs } from './clock.ts';
import { EXIT } from './errors.ts';

/** npm passes a Ctrl-C on that the terminal has delivered already: two at once are one. */
const SAME_SIGNAL_MS = 300;

export interface StopRequest {
  /** Resolves at the first signal, or when the time is over. */
  readonly requested: Promise<void>;
  /** What a second signal does; until it is set, it ends the process. */
  onSecond(act: () => void): void;
  /** Signals have their usual effect again. */
  done(): void;
}

/** Listens to SIGINT, SIGTERM and SIGHUP from now on; asks by itself after `forMs`. */
export function stopRequest(forMs: number | undefined, clock: Clock): StopRequest {
  const asked = new AbortController();
  let second: () => void = () => process.exit(EXIT.interrupted);
  let firstMs: number | undefined;
  const onSignal = () => {
    firstMs ??= monotonicMs();
    if (monotonicMs() - firstMs >= SAME_SIGNAL_MS) second();
    asked.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  const requested = new Promise<void>((resolveRequest) => {
    asked.signal.addEventListener('abort', () => resolveRequest(), { once: true });
  });
  if (forMs !== undefined) void clock.sleep(forMs, asked.signal).then(() => asked.abort());
  return {
    requested,
    onSecond(act) {
      second = act;
    },
    done() {
      for (const name of names) process.removeListener(name, onSignal);
      asked.abort();
    },
  };
}
