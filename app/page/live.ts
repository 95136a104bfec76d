// Telling open pages what is new, by server-sent events: one timer for all of them, and none while nobody looks.
import type { ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';

export interface Live {
  /** False when as many look already as are served. */
  join(response: ServerResponse, names: boolean): boolean;
  readonly watchers: number;
  close(): void;
}

const EVERY_MS = 1_000;
/** Probes and scrapes must always find a free connection. */
const WATCHERS_MAX = 16;
/** A reader that takes so little is gone or asleep; it comes again by itself. */
const UNREAD_MAX_BYTES = 256 * 1024;

/** `event` answers the text of one event, with names or without. */
export function createLive(clock: Clock, event: (names: boolean) => string): Live {
  const watchers = new Map<ServerResponse, boolean>();
  let ticking: AbortController | undefined;

  const tick = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && watchers.size > 0) {
      const texts = new Map<boolean, string>();
      for (const [response, names] of watchers) {
        const text = texts.get(names) ?? event(names);
        texts.set(names, text);
        if (response.writableLength > UNREAD_MAX_BYTES) response.destroy();
        else response.write(text);
      }
      await clock.sleep(EVERY_MS, signal);
    }
  };
  const leave = (response: ServerResponse): void => {
    watchers.delete(response);
    if (watchers.size > 0) return;
    ticking?.abort();
    ticking = undefined;
  };

  return {
    join(response, names) {
      if (watchers.size >= WATCHERS_MAX) return false;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      response.on('close', () => leave(response));
      response.write('retry: 3000\n\n');
      watchers.set(response, names);
      if (ticking) response.write(event(names));
      else {
        ticking = new AbortController();
        void tick(ticking.signal);
      }
      return true;
    },
    get watchers() {
      return watchers.size;
    },
    close() {
      for (const response of watchers.keys()) response.end();
      ticking?.abort();
    },
  };
}
