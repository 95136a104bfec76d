// Progress for a person: one line on a terminal, redrawn in place, and how the run ended.
import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/units.ts';
import type { Ending, Workshop } from './run.ts';

export interface ProgressLine {
  /** Writes a log line above it. */
  above(line: string): void;
  done(): void;
}

const REDRAW_MS = 500;

/** Redraws until `done`. */
export function drawProgress(
  terminal: { write(text: string): unknown; readonly columns?: number },
  clock: Clock,
  text: () => string,
): ProgressLine {
  const stop = new AbortController();
  const paint = (): void => {
    terminal.write(`\r\u001b[K${text().slice(0, (terminal.columns ?? 80) - 1)}`);
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      paint();
      await clock.sleep(REDRAW_MS, stop.signal);
    }
  };
  void loop();
  return {
    above(line) {
      terminal.write(`\r\u001b[K${line}`);
    },
    done() {
      if (!stop.signal.aborted) terminal.write('\r\u001b[K');
      stop.abort();
    },
  };
}

/** `12 of 42 type-days, 120,300 records, 21,004 a second, 8 requests at once, 3 retries`. */
export function progressText(shop: Workshop, total: number, finished: number, sinceMs: number): string {
  const seconds = Math.max(0.001, (shop.clock.now() - sinceMs) / 1_000);
  const { records, retries } = shop.counts;
  return [
    `${finished} of ${total} type-days`,
    `${records.toLocaleString('en-US')} records`,
    `${Math.round(records / seconds).toLocaleString('en-US')} a second`,
    `${Math.floor(shop.counts.parallel())} requests at once`,
    `${retries} retries`,
  ].join(', ');
}

/** The last line of a run. */
export function endingText(ending: Ending, shop: Workshop, sinceMs: number): string {
  const count = (outcome: string): number => ending.done.filter((unit) => unit.outcome === outcome).length;
  const records = ending.done
    .filter(({ outcome }) => outcome === 'sealed' || outcome === 'revised')
    .reduce((sum, unit) => sum + unit.records, 0);
  const parts = [
    `${count('sealed')} sealed`,
    `${count('revised')} revised`,
    `${count('unchanged')} unchanged`,
    `${count('outrun')} sealed by others`,
    `${count('unknown')} not comparable`,
    `${ending.failed.length} failed`,
    `${ending.stopped} stopped`,
  ].filter((part, index) => index === 0 || !part.startsWith('0 '));
  const took = formatDuration(shop.clock.now() - sinceMs);
  const verdict =
    ending.failed.length > 0
      ? `; failed: ${ending.failed.map(({ type, day, reason }) => `${type} ${day} (${reason})`).join(', ')}`
      : ending.stopped > 0
        ? '; the next run goes on where this one ended'
        : '';
  return `${parts.join(', ')}: ${records.toLocaleString('en-US')} records in ${took}, ${shop.counts.retries} retries${verdict}`;
}
