// The demo: the vendor's stand-in writes, the files mover moves to a folder that stands in for the bucket, and at the
// end both sides are read again and balanced. No cloud account, nothing outside one directory.
import { appendFileSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { EXIT, type ExitName, FerryError } from '../core/errors.ts';
import { openFolderStore } from '../core/folder/store.ts';
import type { HealthServer } from '../core/http.ts';
import { createLog, type Log, type LogStream } from '../core/log.ts';
import { type StopRequest, stopRequest } from '../core/stop-request.ts';
import { drawUntil, isDrawable } from '../files/live-view.ts';
import { type Mover, startMover } from '../files/mover.ts';
import { createPainter, type Painter } from '../files/painter.ts';
import { serve } from '../files/serve.ts';
import type { FilesSettings } from '../files/settings.ts';
import type { FilesSnapshot } from '../files/snapshot.ts';
import { summaryLine } from '../files/summary.ts';
import { type Balance, balance, exitOf, formatBalance } from './balance.ts';
import { type DemoOptions, demoSettings, introduction, type Places, placesIn, writerFlags } from './setup.ts';
import { lastWriterMessage, startWriterProcess, type WriterProcess } from './writer-process.ts';

/** Runs until Ctrl-C, SIGTERM, `forMs` or the mover's end, then prints the balance. @throws FerryError */
export async function runDemo(options: DemoOptions): Promise<ExitName> {
  const clock = systemClock;
  const places = placesIn(resolve(options.directory));
  for (const directory of [places.data, places.bucket, places.state])
    mkdirSync(directory, { recursive: true });
  const live = options.json !== true && isDrawable(options.stdout, options.env);
  const say = (text: string) => (options.json ? options.stderr : options.stdout).write(text);
  const stream = heldBack(live ? fileStream(places.log) : options.json ? options.stderr : options.stdout);
  const settings = demoSettings(places);
  const log = createLog({ level: settings.logLevel, stream });
  const store = openFolderStore(places.bucket);
  const mover = await startMover({ settings, store, clock, log });
  const stop = stopRequest(options.forMs, clock);
  const server = await servePage(options, settings, mover);
  if (server) say(`Look at it: http://${server.address}/\n`);
  say(introduction(options, places));
  stream.release();
  try {
    const ended = await moveUntilStopped({ options, places, settings, mover, log, live, stop, clock });
    await store.close();
    say('Reading every file on both sides again.\n');
    const result = await balance({
      manifest: places.manifest,
      dataDir: places.data,
      bucketDir: places.bucket,
    });
    const exit = exitOf(result) === 'ok' ? ended : exitOf(result);
    const report: Balance & { exit: ExitName } = { exit, ...result };
    options.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatBalance(result));
    return exit;
  } finally {
    stop.done();
    await server?.close();
  }
}

/** The page on the address asked for, or on a free port when another program has it: a demo needs no address of its own. */
async function servePage(
  { listen, openPage }: DemoOptions,
  settings: FilesSettings,
  mover: Mover,
): Promise<HealthServer | undefined> {
  if (listen === undefined || openPage === undefined) return undefined;
  try {
    return await serve({ ...settings, listen }, mover, openPage);
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    return await serve({ ...settings, listen: '127.0.0.1:0' }, mover, openPage);
  }
}

/** Keeps lines until released: where to look is the first thing a person reads. */
function heldBack(stream: LogStream): LogStream & { release(): void } {
  let held: string[] | undefined = [];
  return {
    ...(stream.isTTY === undefined ? {} : { isTTY: stream.isTTY }),
    write: (line) => (held ? held.push(line) : stream.write(line)),
    release() {
      for (const line of held ?? []) stream.write(line);
      held = undefined;
    },
  };
}

interface Scene {
  readonly options: DemoOptions;
  readonly places: Places;
  readonly settings: FilesSettings;
  readonly mover: Mover;
  readonly log: Log;
  /** Whether there is a terminal to draw on. */
  readonly live: boolean;
  readonly stop: StopRequest;
  readonly clock: Clock;
}

/** The part with writer and mover at work; both have ended when it answers, and the mover says how. */
async function moveUntilStopped(scene: Scene): Promise<ExitName> {
  const { options, places, mover, live, stop, clock } = scene;
  let writer: WriterProcess | undefined;
  let painter: Painter | undefined;
  stop.onSecond(() => {
    mover.kill();
    writer?.stopAtOnce();
    painter?.close();
    process.exit(EXIT.interrupted);
  });
  try {
    writer = startWriterProcess(
      places.root,
      options.program ?? process.argv[1] ?? '',
      writerFlags(options, places),
    );
    painter = live ? createPainter(options.stdout, !options.env.NO_COLOR) : undefined;
    const end = untilEnd(mover);
    const watching = [sumUp(scene, end)];
    if (painter) watching.push(draw(scene, painter, writer, end));
    await Promise.race([stop.requested, mover.done]);
    tellStopping(scene, painter);
    const writerEnded = !writer.running();
    await writer.stop(clock);
    mover.drain();
    const ended = await mover.done;
    await Promise.all(watching);
    painter?.close();
    const complaint = writerEnded ? lastWriterMessage(places.root) : '';
    if (complaint !== '') options.stderr.write(`The writer ended by itself: ${complaint}\n`);
    return ended;
  } catch (error) {
    mover.kill();
    await writer?.stop(clock);
    throw error;
  } finally {
    painter?.close();
  }
}

function tellStopping({ log }: Scene, painter: Painter | undefined): void {
  const text = 'stopping; Ctrl-C again stops at once';
  if (painter) painter.above(`${text}\n`);
  else log.info(text);
}

/** Aborts when the mover has ended, however. */
function untilEnd(mover: Mover): AbortSignal {
  const end = new AbortController();
  mover.done.then(
    () => end.abort(),
    () => end.abort(),
  );
  return end.signal;
}

/** A line in the log every few seconds: what there is to see without a terminal. */
async function sumUp({ mover, settings, log, clock }: Scene, end: AbortSignal): Promise<void> {
  let before: FilesSnapshot | undefined;
  for (;;) {
    await clock.sleep(settings.summaryEveryMs, end);
    if (end.aborted) return;
    const now = mover.snapshot();
    const { message, fields } = summaryLine(now, before);
    log.info(message, fields);
    before = now;
  }
}

function draw(
  { mover, options, clock }: Scene,
  painter: Painter,
  writer: WriterProcess,
  end: AbortSignal,
): Promise<void> {
  const head = (state: string) => {
    const vendor = writer.running()
      ? `writer ${writer.found ? 'found, ' : ''}pid ${writer.pid}`
      : 'writer stopped';
    return `ferry    ${state}, ${vendor}`;
  };
  const snapshot = () => mover.snapshot();
  return drawUntil({ painter, terminal: options.stdout, clock, snapshot, head, signal: end });
}

/** Lines appended to a file at once, so that none is missing after a kill. */
function fileStream(path: string): LogStream {
  return { write: (line) => appendFileSync(path, line) };
}
