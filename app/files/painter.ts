// Draws a few lines on a terminal again and again in the same place.
import type { StatusLine, Tone } from './live-status.ts';

/** What the painter needs of `process.stdout`. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Painter {
  /** Replaces what was painted before. */
  paint(lines: readonly StatusLine[]): void;
  /** Writes whole lines above the picture, into the scroll-back. */
  above(text: string): void;
  /** Leaves the last picture where it is and shows the cursor again. May be called twice. */
  close(): void;
}

const COLOUR: Record<Tone, number | undefined> = { plain: undefined, good: 32, warn: 33, bad: 31, dim: 90 };

/** Draws in place by moving the cursor up; the scroll-back above stays as it is. The cursor is hidden until `close`. */
export function createPainter(terminal: Terminal, colours: boolean): Painter {
  let picture: readonly StatusLine[] = [];
  let painted: number[] = [];
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    process.removeListener('exit', close);
    terminal.write('\u001b[?25h');
  };
  process.on('exit', close);
  terminal.write('\u001b[?25l');
  const draw = (above: string) => {
    const columns = terminalColumns(terminal);
    // A window made narrower has wrapped the old lines; one that is too low cannot be moved up in far enough.
    const up = painted.reduce((rows, length) => rows + Math.max(1, Math.ceil(length / columns)), 0);
    const shown = picture.slice(0, Math.max(1, (terminal.rows || 24) - 1));
    const text = shown.map((line) => `\u001b[2K${coloured(line, colours)}\n`).join('');
    terminal.write(`${up > 0 ? `\u001b[${up}A\r` : ''}\u001b[0J${above}${text}`);
    painted = shown.map((line) => line.reduce((length, [piece]) => length + piece.length, 0));
  };
  return {
    paint(lines) {
      if (!open) return;
      picture = lines;
      draw('');
    },
    above(text) {
      if (open) draw(text);
      else terminal.write(text);
    },
    close,
  };
}

/** The terminal's width; 80 where it does not say (0 in some containers). */
export function terminalColumns(terminal: Terminal): number {
  return terminal.columns !== undefined && terminal.columns > 0 ? terminal.columns : 80;
}

function coloured(line: StatusLine, colours: boolean): string {
  return line
    .map(([text, tone]) => {
      const code = colours ? COLOUR[tone] : undefined;
      return code === undefined ? text : `\u001b[${code}m${text}\u001b[0m`;
    })
    .join('');
}
