// What every command of `ferry events` begins and ends with: the settings file, the log without secrets, the stop signal.
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { EXIT, type ExitName } from '../core/errors.ts';
import type { HealthServer } from '../core/http.ts';
import { createLog, type Log } from '../core/log.ts';
import { stopRequest } from '../core/stop-request.ts';
import { drawProgress, endingText, type ProgressLine, progressText } from './progress.ts';
import { type Ending, keyOf, openWorkshop, type Sharing, type Workshop, workThrough } from './run.ts';
import type { Secret } from './secret.ts';
import { serveMetrics } from './serve.ts';
import { type EventsSettings, readEventsFile } from './settings/read.ts';
import { type Task, unitName } from './units.ts';

/** What a command sees of its process. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
}

/** Relative paths in a settings file start where the command was typed. */
export function settingsFrom(file: string): EventsSettings {
  return readEventsFile(file, process.cwd());
}

/** Lines to stdout and, where the settings name a directory, to a file of the day; the key is in neither. */
export function openLog(
  settings: EventsSettings,
  io: Io,
  key: Secret,
  line: () => ProgressLine | undefined,
): Log {
  const { log_path: directory } = settings;
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const toScreen = createLog({
    level: settings.log_level,
    stream: {
      isTTY: io.stdout.isTTY === true,
      write(text) {
        const drawn = line();
        if (drawn) drawn.above(key.mask(text));
        else io.stdout.write(key.mask(text));
      },
    },
    colour: !io.env.NO_COLOR,
  });
  if (directory === undefined) return toScreen;
  const toFile = createLog({
    level: settings.log_level,
    stream: {
      write(text) {
        const day = new Date().toISOString().slice(0, 10);
        appendFileSync(join(directory, `ferry-events-${day}.log`), key.mask(text));
      },
    },
  });
  const both =
    (name: keyof Log): Log[typeof name] =>
    (message, fields) => {
      toScreen[name](message, fields);
      toFile[name](message, fields);
    };
  return { debug: both('debug'), info: both('info'), warn: both('warn'), error: both('error') };
}

export interface RunPlan {
  readonly tasks: readonly Task[];
  readonly parallel: number;
  readonly sharing?: Sharing;
}

/** Of the flags: what holds whatever the run is for. */
export interface Manner {
  readonly dryRun: boolean;
  readonly listen?: string | undefined;
}

/** Opens everything, lets `plan` choose the work, does it, tells how it ended. @throws FerryError, StoreError */
export async function runEvents(
  settings: EventsSettings,
  io: Io,
  { dryRun, listen }: Manner,
  plan: (shop: Workshop) => Promise<RunPlan>,
  clock: Clock = systemClock,
): Promise<ExitName> {
  const stopping = new AbortController();
  const key = keyOf(settings, io.env);
  let line: ProgressLine | undefined;
  const log = openLog(settings, io, key, () => line);
  const stop = stopRequest(undefined, clock);
  stop.onSecond(() => process.exit(EXIT.interrupted));
  void stop.requested.then(() => stopping.abort());
  const shop = await openWorkshop({ settings, clock, log, signal: stopping.signal, env: io.env });
  let server: HealthServer | undefined;
  try {
    if (listen !== undefined && !dryRun) {
      server = await serveMetrics(listen, shop.counts, clock);
      log.info(`metrics are on http://${server.address}/metrics while this run lasts`);
    }
    const { tasks, parallel, sharing } = await plan(shop);
    const where = shop.destinations.stores.map(({ store }) => store.label).join(' and ');
    if (dryRun) {
      for (const task of tasks) log.info(`would pull ${unitName(task)}`, { because: task.reason });
      log.info(`dry-run: ${tasks.length} type-days would be pulled into ${where}; nothing was done`);
      return 'ok';
    }
    log.info(`pulling ${tasks.length} type-days into ${where}`, { api: settings.url });
    const sinceMs = clock.now();
    let finished = 0;
    if (io.stdout.isTTY === true && io.env.TERM !== 'dumb') {
      const text = () => progressText(shop, tasks.length, finished, sinceMs);
      line = drawProgress(io.stdout, clock, text);
    }
    const telling = tellNowAndThen(
      shop,
      () => line !== undefined,
      tasks.length,
      () => finished,
      sinceMs,
    );
    const ending: Ending = await workThrough(shop, tasks, parallel, {
      onFinished: () => {
        finished += 1;
      },
      ...(sharing === undefined ? {} : { sharing }),
    });
    telling.abort();
    line?.done();
    line = undefined;
    log[ending.exit === 'ok' ? 'info' : 'error'](endingText(ending, shop, sinceMs));
    return ending.exit;
  } finally {
    line?.done();
    stop.done();
    await server?.close();
    await shop.close();
  }
}

const TELL_EVERY_MS = 10_000;

/** Without a terminal a line of progress every 10 s. */
function tellNowAndThen(
  shop: Workshop,
  isDrawn: () => boolean,
  total: number,
  finished: () => number,
  sinceMs: number,
): AbortController {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await shop.clock.sleep(TELL_EVERY_MS, stop.signal);
      if (stop.signal.aborted) return;
      if (!isDrawn()) shop.log.info(progressText(shop, total, finished(), sinceMs));
    }
  };
  void loop();
  return stop;
}

/** How many units at once: as many as the API may bear, unless told. */
export function parallelOf(settings: EventsSettings, asked: number | undefined): number {
  return Math.min(asked ?? settings.api.concurrency, settings.api.concurrency);
}
