// What a run of the files mover is made of, and how the parts know each other.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Bell, createBell } from '../core/bell.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Store } from '../core/store.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import { type Counters, copyCounters, createCounters } from './counters.ts';
import type { FinderPorts } from './finder.ts';
import { createHints } from './hints.ts';
import { compileKey } from './key.ts';
import { identityOf, type Ledger, openLedger } from './ledger/ledger.ts';
import { createPasses, type Passes, ROOM_FILES } from './passes.ts';
import { toBytePath } from './paths.ts';
import { createProver, type Prover } from './prover.ts';
import { createQueue, type SendQueue } from './queue.ts';
import type { ProvedRow } from './receipts/line.ts';
import { NO_RECEIPTS, openReceipts, type Receipts } from './receipts/receipts.ts';
import { watchAnew } from './second-look.ts';
import { createSender, type Sender } from './sender.ts';
import type { FilesSettings } from './settings.ts';
import { createSettling, type Settling } from './settle.ts';
import { createSightings, type Sightings } from './sightings.ts';
import type { FilesSnapshot } from './snapshot.ts';
import { type StoreWatch, watchStore } from './store-watch.ts';

export interface MoverOptions {
  readonly settings: FilesSettings;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** False: as on a share whose kernel tells of nothing. @default true, unless one pass is asked for */
  readonly hints?: boolean;
  /** True: the source is the spill volume. @default false */
  readonly spilled?: boolean;
}

/** Everything a run of the mover is made of. */
export interface Parts {
  readonly settings: FilesSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly queue: SendQueue;
  readonly settling: Settling;
  readonly backoff: Backoff;
  /** Of deletes that a directory refused. */
  readonly refused: Backoff;
  readonly counters: Counters;
  readonly sightings: Sightings;
  readonly watch: StoreWatch;
  readonly sender: Sender;
  readonly passes: Passes;
  readonly prover: Prover;
  readonly receipts: Receipts;
  readonly finder: FinderPorts;
  readonly bells: Readonly<Record<'backlog' | 'prove' | 'free' | 'progress' | 'room' | 'receipts', Bell>>;
  /** Aborts everything. */
  readonly stop: AbortController;
  /** Aborts what looks for more to do. */
  readonly finding: AbortController;
  readonly times: { startedAtMs: number; turnedAtMs: number; lastSuccessAtMs: number | undefined };
}

/** Opens the ledger and puts the parts together; nothing moves yet. @throws FerryError when the ledger cannot be used */
export function assemble(options: MoverOptions): Parts {
  const { settings, store, clock, log, hints: mayHint = true } = options;
  const stop = new AbortController();
  const finding = new AbortController();
  stop.signal.addEventListener('abort', () => finding.abort(), { once: true });
  // Without symlinks: what is freed is held against it.
  const root = toBytePath(realpathSync(settings.source));
  // The same bucket name at another endpoint is another bucket.
  const storeName = `${store.label} ${settings.endpoint ?? ''}`.trim();
  const counters = createCounters();
  // Opened behind the ledger, whose lock is theirs too.
  let receipts = NO_RECEIPTS;
  const ledger = openLedger({
    directory: settings.dryRun ? undefined : settings.state,
    source: settings.source,
    store: storeName,
    beforeCommit: () => receipts.flush(),
    onDamaged: (sentence) => log.warn(sentence),
  });
  const bells = {
    backlog: createBell(),
    prove: createBell(),
    free: createBell(),
    progress: createBell(),
    room: createBell(),
    receipts: createBell(),
  };
  if (settings.receipts && !settings.dryRun) {
    receipts = openReceipts({
      directory: join(settings.state, `${identityOf(settings.source, storeName)}.receipts`),
      source: settings.source,
      spilled: options.spilled === true,
      store,
      log,
      onWritten: () => {
        counters.receiptObjects += 1;
      },
      onLost: (lines) => {
        counters.receiptLinesLost = lines;
      },
      onFull: () => bells.receipts.ring(),
    });
  }
  const queue = createQueue();
  const settling = createSettling(settings.settleMs);
  const backoff = createBackoff();
  const refused = createBackoff();
  const keyOf = compileKey(settings.key);
  const startedAtMs = clock.now();
  const times: Parts['times'] = { startedAtMs, turnedAtMs: startedAtMs, lastSuccessAtMs: undefined };
  const watch = watchStore(store, ledger, counters, clock, log);
  const retry = watch.retrier();
  const sightings = createSightings(settings, counters, clock, log);
  // One pass meets everything by itself.
  const hints = settings.once || settings.dryRun || !mayHint ? undefined : createHints(root);
  finding.signal.addEventListener('abort', () => hints?.close(), { once: true });
  hints?.near('');
  const finder = {
    root,
    hints,
    clock,
    log,
    ledger,
    queue,
    settling,
    backoff,
    counters,
    settleMs: settings.settleMs,
    state: settings.dryRun ? undefined : settings.state,
  };
  const succeeded = (): void => {
    times.lastSuccessAtMs = clock.now();
  };
  const provedOne = (row: ProvedRow): void => {
    succeeded();
    receipts.proved(row, clock.now());
  };
  const sender = createSender({
    ...finder,
    store: watch.store,
    retry: watch.retrier({ onFailure: (error) => sender.callFailed(error) }),
    keyOf,
    signal: stop.signal,
    concurrency: settings.concurrency,
    onChanged: (file) => watchAnew(finder, file),
    onMoved(row) {
      succeeded();
      if (row.proved) provedOne(row);
      else receipts.sent(row.path, clock.now());
      if (prover.isDue(ledger.totals.unprovedFiles, clock.now())) bells.prove.ring();
    },
    onProgress() {
      if (queue.room('backlog') >= ROOM_FILES) bells.room.ring();
      if (sender.idle) bells.progress.ring();
    },
  });
  const listing = {
    store: watch.store,
    retry,
    signal: stop.signal,
    onListing() {
      counters.listings += 1;
    },
  };
  const passes = createPasses({
    ...finder,
    listing,
    keyOf,
    sender,
    sightings,
    walkCpuShare: settings.walkCpuShare,
    startedAtMs,
    signal: finding.signal,
    backlogBell: bells.backlog,
    roomBell: bells.room,
    onMoved(path) {
      const row = ledger.get(path);
      if (row) provedOne(row);
    },
  });
  const prover = createProver({
    ...listing,
    ledger,
    log,
    counters,
    clock,
    proveEveryMs: settings.proveEveryMs,
    backoff,
    backlogBell: bells.backlog,
    onProved: provedOne,
    onAllProved() {
      sightings.allProved();
      bells.free.ring();
    },
  });
  return {
    settings,
    clock,
    log,
    ledger,
    queue,
    settling,
    backoff,
    refused,
    counters,
    sightings,
    watch,
    sender,
    passes,
    prover,
    receipts,
    finder,
    bells,
    stop,
    finding,
    times,
  };
}

export function snapshotOf(parts: Parts): FilesSnapshot {
  const { clock, queue, sender, sightings, settling, backoff, refused, ledger, times } = parts;
  const nowMs = clock.now();
  const seen = sightings.waiting();
  const backlog = {
    files: Math.max(queue.waiting + sender.inFlight, seen.files),
    bytes: Math.max(queue.waitingBytes + sender.inFlightBytes, seen.bytes),
  };
  const { totals } = ledger;
  const waits = backlog.files + backoff.size + totals.unprovedFiles > 0;
  const oldestMs = Math.min(
    (waits ? sightings.oldestUnprovedMs : undefined) ?? Number.POSITIVE_INFINITY,
    settling.oldestArrivalMs() ?? Number.POSITIVE_INFINITY,
  );
  return {
    atMs: nowMs,
    startedAtMs: times.startedAtMs,
    total: copyCounters(parts.counters),
    backlog,
    settling: settling.size,
    unproved: { files: totals.unprovedFiles, bytes: totals.unprovedBytes },
    retained: { files: totals.files - totals.unprovedFiles, bytes: totals.bytes - totals.unprovedBytes },
    failing: sumByReason(backoff.byReason(), refused.byReason()),
    skipped: sightings.last?.report.skipped ?? new Map(),
    oldestUnprovedAgeMs: Number.isFinite(oldestMs) ? nowMs - oldestMs : undefined,
    lastSuccessAtMs: times.lastSuccessAtMs,
    lastWalkAtMs: sightings.lastWalkAtMs,
    lastArrivalAtMs: sightings.lastArrivalAtMs,
    store: parts.watch.state,
    disk: sightings.disk,
    ...(parts.settings.spill === undefined
      ? {}
      : { spill: { moved: { ...parts.counters.spilled }, waiting: { files: 0, bytes: 0 } } }),
    inFlight: sender.inFlight,
    draining: parts.finding.signal.aborted,
  };
}

/** A reason that stands in both counts both. */
function sumByReason(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): Map<string, number> {
  const sums = new Map(one);
  for (const [reason, files] of other) sums.set(reason, (sums.get(reason) ?? 0) + files);
  return sums;
}
