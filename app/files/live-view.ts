// The live view: the mover's status redrawn in place on a terminal, until it has ended.
import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/units.ts';
import { type StatusLine, statusLines } from './live-status.ts';
import { type Painter, type Terminal, terminalColumns } from './painter.ts';
import type { FilesSnapshot } from './snapshot.ts';

const REDRAW_MS = 500;
/** Rates on the status are over this time. */
const RATE_WINDOW_MS = 5_000;

export interface LiveViewOptions {
  readonly painter: Painter;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly snapshot: () => FilesSnapshot;
  /** The first line; `state` is `running for 5s`, `stopping for 2s` or `ended after 7s`. */
  readonly head: (state: string) => string;
  /** Ends the view; the last picture stays. */
  readonly signal: AbortSignal;
}

/** Whether pictures can be drawn there. */
export function isDrawable(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb';
}

export async function drawUntil(options: LiveViewOptions): Promise<void> {
  const { painter, terminal, clock, snapshot, head, signal } = options;
  const history: FilesSnapshot[] = [];
  let stoppingSinceMs: number | undefined;
  const paint = (ended = false) => {
    const now = snapshot();
    while (history[1] && now.atMs - history[1].atMs >= RATE_WINDOW_MS) history.shift();
    const columns = terminalColumns(terminal);
    if (now.draining) stoppingSinceMs ??= now.atMs;
    const up = formatDuration(now.atMs - now.startedAtMs);
    const stopping = stoppingSinceMs === undefined ? undefined : formatDuration(now.atMs - stoppingSinceMs);
    const going = stopping === undefined ? `running for ${up}` : `stopping for ${stopping}`;
    const state = ended ? `ended after ${up}` : going;
    const headLine: StatusLine = [[head(state).slice(0, columns), 'plain']];
    painter.paint([headLine, ...statusLines(now, history[0], columns)]);
    history.push(now);
  };
  while (!signal.aborted) {
    paint();
    await clock.sleep(REDRAW_MS, signal);
  }
  paint(true);
}
