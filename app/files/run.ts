// `ferry files`: opens the source and the store, starts the mover, and tells operators and probes how it goes.
import { existsSync, opendirSync, statSync } from 'node:fs';
import { systemClock } from '../core/clock.ts';
import { affordableConnections, freeDescriptors } from '../core/descriptors.ts';
import { EXIT, type ExitName, errnoOf, FerryError, messageOf } from '../core/errors.ts';
import { openFolderStore } from '../core/folder/store.ts';
import type { HealthServer } from '../core/http.ts';
import { createLog, type Log } from '../core/log.ts';
import { stopRequest } from '../core/stop-request.ts';
import type { Store } from '../core/store.ts';
import { formatDuration, writeDuration } from '../core/units.ts';
import { dryRunStore } from './dry-run.ts';
import { doneText, dryRunLine, dryRunText } from './ending.ts';
import { beat, beatOnce } from './heartbeat.ts';
import { drawUntil, isDrawable } from './live-view.ts';
import type { Mover } from './mover.ts';
import { startMovers } from './movers.ts';
import { createPainter, type Painter } from './painter.ts';
import { type OpenPage, serve } from './serve.ts';
import type { FilesSettings } from './settings.ts';
import type { FilesSnapshot } from './snapshot.ts';
import { summaryLine } from './summary.ts';

export interface RunIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  /** What --listen serves to people; without it there are probes and metrics only. */
  readonly openPage?: OpenPage;
}

/** Runs until the one pass is done, or a signal. @throws FerryError, StoreError */
export async function runFiles(settings: FilesSettings, io: RunIo): Promise<ExitName> {
  const painter =
    isDrawable(io.stdout, io.env) && !settings.dryRun
      ? createPainter(io.stdout, !io.env.NO_COLOR)
      : undefined;
  const stream = painter ? { isTTY: true, write: (line: string) => painter.above(line) } : io.stdout;
  const log = createLog({ level: settings.logLevel, stream });
  try {
    return await runWith(withinDescriptors(settings, log), io, log, painter);
  } finally {
    painter?.close();
  }
}

async function runWith(
  settings: FilesSettings,
  io: RunIo,
  log: Log,
  painter: Painter | undefined,
): Promise<ExitName> {
  const stop = stopRequest(undefined, systemClock);
  checkSource(settings.source);
  const doing = settings.dryRun ? 'dry-run: looking at' : 'moving';
  const task = `${doing} ${settings.source} to ${settings.to}`;
  if (settings.dryRun) log.info(task);
  tellNewFolder(settings, log);
  const opened = await openStore(settings, io.env);
  const store = settings.dryRun
    ? dryRunStore(opened, (key, sizeBytes) => log.info('would send', { key, bytes: sizeBytes }))
    : opened;
  const stopTelling = new AbortController();
  let server: HealthServer | undefined;
  try {
    // What is still written to is compared by the listing too: nothing is sent, so it need not stand still.
    const asked = settings.dryRun ? { ...settings, settleMs: 0 } : settings;
    const mover = await startMovers({ settings: asked, store, clock: systemClock, log });
    stop.onSecond(() => {
      mover.kill();
      painter?.close();
      process.exit(EXIT.interrupted);
    });
    void stop.requested.then(() => {
      const budget = formatDuration(settings.drainMs);
      if (!stopTelling.signal.aborted)
        log.info(`stopping: up to ${budget}; a second signal (or Ctrl-C) stops at once`);
      mover.drain();
    });
    server = await serve(settings, mover, io.openPage);
    const retention = settings.keep ? 'for ever' : writeDuration(settings.retentionMs);
    if (!settings.dryRun)
      log.info(task, {
        retention,
        ...(server ? { listen: server.address, page: pageAddress(settings, server) } : {}),
      });
    const telling = painter
      ? drawUntil({
          painter,
          terminal: io.stdout,
          clock: systemClock,
          snapshot: () => mover.snapshot(),
          head: (state) => `ferry    ${state}`,
          signal: stopTelling.signal,
        })
      : tell(settings, mover, log, stopTelling.signal);
    const heartbeat = { settings, snapshot: () => mover.snapshot(), clock: systemClock, log, env: io.env };
    if (!settings.once && !settings.dryRun) void beat({ ...heartbeat, signal: stopTelling.signal });
    const exit = await mover.done;
    if (settings.once && !settings.dryRun && exit === 'ok')
      await beatOnce({ ...heartbeat, signal: stopTelling.signal });
    stopTelling.abort();
    await telling;
    painter?.close();
    log.info(settings.dryRun ? dryRunText(mover.snapshot()) : doneText(mover.snapshot(), settings));
    return exit;
  } finally {
    stopTelling.abort();
    stop.done();
    await server?.close();
    await opened.close();
  }
}

/** Where the system grants few descriptors, fewer uploads at once: connections would take those that reading needs. */
function withinDescriptors(settings: FilesSettings, log: Log): FilesSettings {
  const free = freeDescriptors();
  const concurrency = affordableConnections(settings.concurrency, free);
  if (concurrency < settings.concurrency) {
    log.warn(
      `only ${concurrency} uploads at once instead of ${settings.concurrency}: this process may open ${free} files more; ` +
        'raise the limit (ulimit -n) for more',
    );
  }
  return { ...settings, concurrency };
}

/** What to open in a browser; undefined without a page. */
function pageAddress({ page }: FilesSettings, { address, port }: HealthServer): string | undefined {
  if (page === 'off') return undefined;
  return `http://${/^(0\.0\.0\.0|\[::\]):/.test(address) ? `127.0.0.1:${port}` : address}/`;
}

/** A FerryError when the directory cannot be walked at all. */
function checkSource(source: string): void {
  try {
    if (!statSync(source).isDirectory()) {
      throw new FerryError(
        'source',
        `${source} is not a directory`,
        'Name the directory to move with --source.',
      );
    }
    // One name will do: a million of them would cost 130 MB.
    const directory = opendirSync(source);
    try {
      directory.readSync();
    } finally {
      directory.closeSync();
    }
  } catch (error) {
    if (error instanceof FerryError) throw error;
    const uid = process.getuid?.();
    const remedy =
      errnoOf(error) === 'EACCES'
        ? `Let uid ${uid} read it: run as the writer's user, or share a group with it.`
        : 'Create it, mount the volume there, or mend --source.';
    throw new FerryError('source', `The source ${source} cannot be read: ${messageOf(error)}`, remedy, {
      cause: error,
    });
  }
}

/** A bucket without its `s3://` is a folder's name too. */
function tellNewFolder({ to }: FilesSettings, log: Log): void {
  if (to.startsWith('s3://') || existsSync(to)) return;
  log.warn(`${to} does not exist yet and will be a folder; a bucket is written s3://BUCKET`);
}

/** Opens `to`: a bucket or a folder that stands in for one. @throws FerryError */
export async function openStore(
  settings: Omit<FilesSettings, 'source'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Store> {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(settings.to);
  if (!match) return openFolderStore(settings.to);
  const { openS3Store } = await import('../core/s3/store.ts');
  const [, bucket = '', prefix = ''] = match;
  return openS3Store({
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint: settings.endpoint,
    region: settings.region,
    ...(settings.pathStyle ? { pathStyle: true } : {}),
    sse: settings.sse,
    sseKmsKeyId: settings.sseKmsKeyId,
    mayRead: settings.mayRead,
    requestTimeoutMs: settings.requestTimeoutMs,
    maxSockets: settings.concurrency,
    env,
  });
}

async function tell(settings: FilesSettings, mover: Mover, log: Log, signal: AbortSignal): Promise<void> {
  let before: FilesSnapshot | undefined;
  while (!signal.aborted) {
    // One pass is watched more closely than a service.
    const everyMs =
      settings.once || settings.dryRun ? Math.min(settings.summaryEveryMs, 10_000) : settings.summaryEveryMs;
    await systemClock.sleep(everyMs, signal);
    if (signal.aborted) return;
    const now = mover.snapshot();
    const { message, fields } = settings.dryRun ? dryRunLine(now) : summaryLine(now, before);
    const level = now.disk?.level === 'critical' ? 'error' : fields.verdict === 'stuck' ? 'warn' : 'info';
    log[level](message, fields);
    before = now;
  }
}
