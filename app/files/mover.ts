// The files mover: find -> settle -> put -> prove -> retain -> free, each a loop of its own over one ledger, so that
// none of them waits for another's trouble.
import { createBell } from '../core/bell.ts';
import type { Clock } from '../core/clock.ts';
import { bytesToFree, createDiskMeter, inodesToFree } from '../core/disk.ts';
import { type ExitName, isTransient, messageOf, StoreError } from '../core/errors.ts';
import { listPage } from '../core/listing.ts';
import type { Log } from '../core/log.ts';
import { createRetrier, createRetryBudget, DEFAULT_RETRY, type Retrier } from '../core/retry.ts';
import type { Store } from '../core/store.ts';
import { createBackoff } from './backoff.ts';
import { add, copyCounters, createCounters } from './counters.ts';
import { enqueue, type FinderPorts, findPass, type PassResult } from './finder.ts';
import { compileKey } from './key.ts';
import { type Candidate, openLedger } from './ledger.ts';
import { toBytePath } from './paths.ts';
import { proveOnce } from './prove.ts';
import { createQueue, type Lane } from './queue.ts';
import { isEmpty, type ReconcilePorts, reconcile } from './reconcile.ts';
import { freeProved, type RetainPorts } from './retain.ts';
import { createSender } from './sender.ts';
import type { FilesSettings } from './settings.ts';
import { arrivedMs, createSettling, sameStat } from './settle.ts';
import type { DiskReading, FilesSnapshot } from './snapshot.ts';
import { type FoundFile, lookAgain } from './walk.ts';

export interface MoverOptions {
  readonly settings: FilesSettings;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Mover {
  snapshot(): FilesSnapshot;
  /** How it ended: `ok`, or with `once` `incomplete` when files were left behind. Rejects with StoreError or FerryError. */
  readonly done: Promise<ExitName>;
  /** Finishes what is in flight, moves the newest files within the budget, says what is left. */
  drain(): void;
  /** Stops at once. */
  kill(): void;
  /** When a loop last turned, wall clock in milliseconds: what liveness means. */
  readonly turnedAtMs: number;
}

/** Younger files go into the fresh lane as the patrol meets them; older ones are the backlog's. */
const FRESH_MS = 10 * 60_000;
/** So many unproved files are worth a listing before its time: one page proves 1,000. */
const PROVE_AT_FILES = 1_000;
const PROVE_PAUSE_MS = 5_000;
const FREE_EVERY_MS = 1_000;
const PREFLIGHT_DEADLINE_MS = 10_000;
/** With `once`: a store that refuses so many calls in a row is down. */
const ONCE_FAILURES_MAX = 24;
const DRAIN_NEWEST_FILES = 8_192;
const CANDIDATES_AT_ONCE = 1_000;
const ROOM_FILES = 1_024;

/** Rejects with FerryError or StoreError when the source, the ledger or the store cannot be used at all. */
export async function startMover({ settings, store, clock, log }: MoverOptions): Promise<Mover> {
  const root = toBytePath(settings.source);
  const startedAtMs = clock.now();
  const stop = new AbortController();
  const finding = new AbortController();
  const findSignal = AbortSignal.any([stop.signal, finding.signal]);

  const ledger = openLedger({
    directory: settings.dryRun ? undefined : settings.state,
    source: settings.source,
    store: store.label,
    onDamaged: (sentence) => log.warn(sentence),
  });
  const queue = createQueue();
  const settling = createSettling(settings.settleMs);
  const backoff = createBackoff();
  const refused = createBackoff();
  const counters = createCounters();
  const keyOf = compileKey(settings.key);
  const watermarks = settings;
  const meter = createDiskMeter({
    limitBytes: settings.volumeLimitBytes,
    directory: settings.source,
    clock,
    watermarks,
  });
  const backlogBell = createBell();
  const proveBell = createBell();
  const freeBell = createBell();
  const progressBell = createBell();
  const roomBell = createBell();

  let draining = false;
  let storeState: FilesSnapshot['store'];
  let lastSuccessAtMs: number | undefined;
  let lastWalkAtMs: number | undefined;
  let lastArrivalAtMs: number | undefined;
  let lastPass:
    | (PassResult & { readonly movedBefore: number; readonly freedBefore: { files: number; bytes: number } })
    | undefined;
  let oldestSentMs: number | undefined;
  let disk: DiskReading | undefined;
  let turnedAtMs = startedAtMs;
  const turned = (): void => {
    turnedAtMs = clock.now();
  };

  const succeeded = (): void => {
    lastSuccessAtMs = clock.now();
  };
  const noteStore = (error: unknown): void => {
    const ok = error === undefined;
    if (!ok && (!(error instanceof StoreError) || error.fault === 'aborted' || error.fault === 'bad-request'))
      return;
    if (ok && storeState?.ok) return;
    const sinceMs = storeState?.ok === ok ? storeState.sinceMs : clock.now();
    if (ok && storeState?.ok === false) log.info('the store answers again');
    if (!ok && storeState?.ok !== false) log.warn(`the store: ${messageOf(error)}`);
    storeState =
      error instanceof StoreError
        ? { ok, fault: error.fault, message: error.message, sinceMs }
        : { ok, sinceMs };
  };
  const budget = createRetryBudget();
  const retrierFor = (deadlineMs: number): Retrier => {
    const retrier = createRetrier({
      clock,
      budget,
      policy: { ...DEFAULT_RETRY, deadlineMs },
      onRetry: (error, waitMs) =>
        log.debug('trying again', { fault: error.fault, waitMs, why: error.message }),
    });
    return (call, signal) =>
      retrier(async () => {
        try {
          const result = await call();
          noteStore(undefined);
          if (!store.etagIsMd5) ledger.etagIsMd5 = false;
          return result;
        } catch (error) {
          noteStore(error);
          throw error;
        }
      }, signal);
  };
  const retry = retrierFor(DEFAULT_RETRY.deadlineMs);
  // Once seen otherwise, ETags are never again taken for MD5s, also after a restart.
  const knowingStore: Store = Object.create(store, {
    etagIsMd5: { get: () => ledger.etagIsMd5 && store.etagIsMd5 },
  });

  const finder: FinderPorts = {
    root,
    clock,
    log,
    ledger,
    queue,
    settling,
    backoff,
    counters,
    settleMs: settings.settleMs,
  };
  const sender = createSender({
    root,
    store: knowingStore,
    retry,
    keyOf,
    ledger,
    signal: stop.signal,
    clock,
    log,
    queue,
    backoff,
    counters,
    concurrency: settings.concurrency,
    onChanged: (file) => watchAgain(file),
    onMoved() {
      succeeded();
      if (ledger.totals.unprovedFiles >= PROVE_AT_FILES) proveBell.ring();
    },
    onProgress() {
      if (queue.room('backlog') >= ROOM_FILES) roomBell.ring();
      if (sender.idle) progressBell.ring();
    },
  });
  const listing = {
    store: knowingStore,
    retry,
    signal: stop.signal,
    onListing: () => {
      counters.listings += 1;
    },
  };

  const isFresh = (file: FoundFile, nowMs: number): boolean =>
    ledger.reconciled ? nowMs - arrivedMs(file.stat) < FRESH_MS : arrivedMs(file.stat) >= startedAtMs;

  const movedFiles = (): number => counters.sent.files + counters.deduplicated.files;

  const notePass = (
    pass: PassResult,
    movedBefore: number,
    freedBefore: { files: number; bytes: number },
  ): void => {
    lastPass = { ...pass, movedBefore, freedBefore };
    lastWalkAtMs = clock.now();
    if (pass.newestArrivalMs !== undefined)
      lastArrivalAtMs = Math.max(lastArrivalAtMs ?? 0, pass.newestArrivalMs);
    oldestSentMs = pass.oldestUnprovedMs;
    readDisk();
    for (const sentence of pass.report.problems) log.warn(sentence);
  };
  const readDisk = (): void => {
    if (!lastPass) return;
    const { report, freedBefore } = lastPass;
    const freedBytes = counters.freed.bytes - freedBefore.bytes;
    const freedFiles = counters.freed.files - freedBefore.files;
    disk = meter.record(
      Math.max(0, report.usedBytes - freedBytes),
      Math.max(0, report.usedInodes - freedFiles),
    );
  };

  /** Offers to a lane, waiting for room. */
  const offerWithRoom = async (file: FoundFile, lane: Lane, signal: AbortSignal): Promise<boolean> => {
    // It waits until the lane is half empty, not for each single place: one wake-up for a thousand files.
    if (queue.room(lane) <= 0) {
      while (queue.room(lane) < ROOM_FILES && !signal.aborted) await roomBell.wait(signal);
    }
    if (signal.aborted) return false;
    // While it waited, the other lane may have sent it.
    const row = ledger.get(file.path);
    if (row && sameStat(row.stat, file.stat)) return true;
    const taken = enqueue(finder, file, lane);
    sender.pump();
    return taken;
  };

  const watchAgain = (file: FoundFile): void => {
    const stat = look(file.path);
    if (stat && !settling.watch({ path: file.path, stat }, clock.now())) backlogBell.ring();
  };
  const look = (path: string): FoundFile['stat'] | undefined => {
    try {
      return lookAgain(root, path);
    } catch (error) {
      log.debug('a second look failed', { error });
      return undefined;
    }
  };

  /** Walks in proportion to what it costs; fresh files go straight to the queue. */
  const patrol = async (): Promise<void> => {
    const movedBefore = movedFiles();
    const freedBefore = { ...counters.freed };
    const pass = await findPass(finder, {
      cpuShare: settings.walkCpuShare,
      signal: findSignal,
      forgetsGone: true,
      onReady(file, nowMs) {
        turned();
        if (isFresh(file, nowMs) && enqueue(finder, file, 'fresh')) sender.pump();
        else backlogBell.ring();
        return true;
      },
    });
    notePass(pass, movedBefore, freedBefore);
  };

  /** Sends what the patrol leaves behind, at the pace of the sender. Answers whether another pass is needed. */
  const backlogPass = async (forgetsGone: boolean): Promise<PassResult> => {
    if (!ledger.reconciled && (await isEmpty(listing))) ledger.reconciled = true;
    if (!ledger.reconciled) return reconcilePass(forgetsGone);
    const movedBefore = movedFiles();
    const freedBefore = { ...counters.freed };
    const pass = await findPass(finder, {
      cpuShare: 1,
      signal: findSignal,
      forgetsGone,
      onReady: (file) => offerWithRoom(file, 'backlog', findSignal),
    });
    if (forgetsGone) notePass(pass, movedBefore, freedBefore);
    return pass;
  };

  const reconcilePass = async (forgetsGone: boolean): Promise<PassResult> => {
    log.info(
      'nothing is remembered of this source and store: what is in the bucket already is found by listing it',
    );
    const movedBefore = movedFiles();
    const freedBefore = { ...counters.freed };
    const { candidates } = ledger;
    candidates.clear();
    let batch: Candidate[] = [];
    const pass = await findPass(finder, {
      cpuShare: 1,
      signal: findSignal,
      forgetsGone,
      onReady(file, nowMs) {
        const { path, stat } = file;
        if (isFresh(file, nowMs) && enqueue(finder, file, 'fresh')) {
          sender.pump();
          return true;
        }
        batch.push({ path, key: keyOf(path, stat.mtimeMs), stat });
        if (batch.length >= CANDIDATES_AT_ONCE) {
          candidates.add(batch);
          batch = [];
        }
        return true;
      },
    });
    candidates.add(batch);
    if (forgetsGone) notePass(pass, movedBefore, freedBefore);
    const ports: ReconcilePorts = {
      ...listing,
      signal: findSignal,
      root,
      ledger,
      keyOf,
      clock,
      onSame(file) {
        add(counters.seen, file.stat.size);
        add(counters.deduplicated, file.stat.size);
        add(counters.proved, file.stat.size);
        succeeded();
      },
    };
    for await (const file of reconcile(ports)) await offerWithRoom(file, 'backlog', findSignal);
    if (!findSignal.aborted) {
      candidates.clear();
      ledger.reconciled = true;
    }
    return pass;
  };

  /** Second looks, when their time has come. */
  const settleTurn = async (): Promise<void> => {
    const nowMs = clock.now();
    for (const file of settling.due(nowMs)) {
      const stat = look(file.path);
      if (stat === undefined) continue;
      if (!sameStat(stat, file.stat)) settling.watch({ path: file.path, stat }, nowMs);
      else if (!enqueue(finder, file, 'fresh')) backlogBell.ring();
    }
    sender.pump();
    progressBell.ring();
    await clock.sleep(
      Math.min(500, Math.max(20, (settling.nextDueMs() ?? Infinity) - clock.now())),
      stop.signal,
    );
  };

  const prove = async (signal: AbortSignal = stop.signal): Promise<boolean> => {
    try {
      if (ledger.totals.unprovedFiles === 0) return true;
      await proveOnce({
        ...listing,
        signal,
        ledger,
        onProved(row) {
          add(counters.proved, row.stat.size);
          succeeded();
        },
        onMissing(row) {
          counters.vanishedObjects += 1;
          log.warn('an object that was sent is not in a complete listing; its file is sent again', {
            key: row.key,
          });
          backlogBell.ring();
        },
      });
      oldestSentMs = undefined;
      freeBell.ring();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof StoreError) counters.listingFailures += 1;
      log.warn(`nothing could be proved: ${messageOf(error)}`);
      return false;
    }
  };

  /** Frees what may go; answers whether rows of an earlier run wait for a listing first. */
  const free = async (): Promise<number> => {
    if (settings.keep || settings.dryRun) return 0;
    const ports: RetainPorts = { root, clock, log, ledger, counters, refused, signal: stop.signal };
    let toProve = 0;
    readDisk();
    if (disk && disk.level !== 'ok') {
      const bytes = bytesToFree(disk, watermarks);
      const inodes = inodesToFree(disk, watermarks);
      if (bytes > 0 || inodes > 0) {
        const result = await freeProved(ports, Infinity, true, (b, f) => b >= bytes && f >= inodes);
        toProve += result.toProve;
        if (result.freedFiles > 0) {
          log.warn('the disk is near its limit: proved files were freed before their time', {
            files: result.freedFiles,
            bytes: result.freedBytes,
          });
          readDisk();
        } else proveBell.ring();
      }
    }
    const due = await freeProved(ports, clock.now() - settings.retentionMs, false, () => false);
    return toProve + due.toProve;
  };

  /** Repeats until stopped; an error is told and tried again, it ends nothing. */
  const loop = async (what: string, signal: AbortSignal, turn: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await turn();
      } catch (error) {
        if (signal.aborted) return;
        log.error(`${what}: ${messageOf(error)}`, { error });
        await clock.sleep(1_000, signal);
      }
      turned();
    }
  };

  const continuous = async (): Promise<ExitName> => {
    backlogBell.ring();
    await Promise.all([
      loop('looking for files', findSignal, async () => {
        await patrol();
        await clock.sleep(settings.walkEveryMs, findSignal);
      }),
      loop('working off the backlog', findSignal, async () => {
        await backlogBell.wait(findSignal);
        if (findSignal.aborted) return;
        try {
          if ((await backlogPass(false)).overflowed) backlogBell.ring();
        } catch (error) {
          backlogBell.ring();
          throw error;
        }
      }),
      loop('proving', findSignal, async () => {
        await proveBell.waitAtMost(clock, settings.proveEveryMs, findSignal);
        if (findSignal.aborted) return;
        await prove();
        await clock.sleep(Math.min(PROVE_PAUSE_MS, settings.proveEveryMs), findSignal);
      }),
      loop('freeing', findSignal, async () => {
        await freeBell.waitAtMost(clock, FREE_EVERY_MS, findSignal);
        if (!findSignal.aborted && (await free()) > 0) proveBell.ring();
      }),
    ]);
    if (!stop.signal.aborted) await drainNow();
    return 'ok';
  };

  const drainNow = async (): Promise<void> => {
    const deadlineMs = clock.now() + settings.drainMs;
    const looking = AbortSignal.any([stop.signal, AbortSignal.timeout(Math.max(1, settings.drainMs / 2))]);
    let newest: FoundFile[] = [];
    const keepNewest = (): void => {
      newest.sort((a, b) => arrivedMs(b.stat) - arrivedMs(a.stat));
      newest = newest.slice(0, DRAIN_NEWEST_FILES);
    };
    await findPass(finder, {
      cpuShare: 1,
      signal: looking,
      forgetsGone: false,
      onReady(file) {
        newest.push(file);
        if (newest.length >= 2 * DRAIN_NEWEST_FILES) keepNewest();
        return true;
      },
    });
    keepNewest();
    for (const file of newest) enqueue(finder, file, 'fresh');
    queue.newestFirst();
    sender.pump();
    const remainingMs = (): number => deadlineMs - clock.now();
    while ((!sender.idle || settling.size > 0) && remainingMs() > 0 && !stop.signal.aborted) {
      await progressBell.waitAtMost(clock, Math.min(250, Math.max(1, remainingMs())), stop.signal);
    }
    if (remainingMs() > 0) {
      await prove(AbortSignal.any([stop.signal, AbortSignal.timeout(Math.max(1, remainingMs()))]));
    }
    ledger.commit();
    const left = queue.waiting + sender.inFlight + settling.size + backoff.size;
    log.info(
      left === 0 ? 'drained: nothing is left to send' : `drained: ${left} files are left for the next start`,
      {
        left,
        unproved: ledger.totals.unprovedFiles,
      },
    );
  };

  const onceThrough = async (): Promise<ExitName> => {
    for (let round = 1; !findSignal.aborted; round += 1) {
      const pass = await backlogPass(true);
      await untilQuiet();
      const missingBefore = counters.vanishedObjects;
      if (!settings.dryRun && !(await prove())) break;
      if ((await free()) > 0 && (await prove())) await free();
      if (!pass.overflowed && counters.vanishedObjects === missingBefore) break;
    }
    if (stop.signal.aborted) return 'interrupted';
    ledger.commit();
    for (const reason of [...backoff.byReason().keys(), ...refused.byReason().keys()]) {
      const example = backoff.example(reason) ?? refused.example(reason);
      log.warn(`left behind (${reason}): ${example?.message ?? ''}`, { path: example?.path });
    }
    const unproved = settings.dryRun ? 0 : ledger.totals.unprovedFiles;
    const problems = lastPass?.report.complete === false;
    const left = backoff.size + settling.size + queue.waiting + unproved;
    return left > 0 || problems || finding.signal.aborted ? 'incomplete' : 'ok';
  };

  /** With `once`: waits until everything found was tried and has settled, but not for ever for a file still written to. */
  const untilQuiet = async (): Promise<void> => {
    const settleUntilMs = clock.now() + Math.max(60_000, 10 * settings.settleMs);
    for (;;) {
      const waitsForSettling = settling.size > 0 && clock.now() < settleUntilMs;
      if (findSignal.aborted || (sender.idle && !waitsForSettling)) return;
      if (sender.failuresInARow >= ONCE_FAILURES_MAX && storeState?.ok === false) {
        throw new StoreError('unavailable', storeState.message ?? 'The store does not answer.');
      }
      await progressBell.waitAtMost(clock, 250, findSignal);
    }
  };

  const preflight = async (): Promise<void> => {
    try {
      await retrierFor(PREFLIGHT_DEADLINE_MS)(() => listPage(store, '', '', stop.signal), stop.signal);
    } catch (error) {
      // A store that may come back is waited for, unless there is only this one pass.
      if (settings.once || settings.dryRun || !isTransient(error)) throw error;
      log.error(`the store cannot be reached yet, files wait: ${messageOf(error)}`);
    }
  };

  const run = async (): Promise<ExitName> => {
    try {
      await preflight();
      void loop('settling', stop.signal, settleTurn);
      return await (settings.once || settings.dryRun ? onceThrough() : continuous());
    } finally {
      stop.abort();
      ledger.close();
    }
  };

  const snapshot = (): FilesSnapshot => {
    const nowMs = clock.now();
    const queued = {
      files: queue.waiting + sender.inFlight,
      bytes: queue.waitingBytes + sender.inFlightBytes,
    };
    const movedSince = lastPass ? movedFiles() - lastPass.movedBefore : 0;
    const share =
      lastPass && lastPass.unknown.files > 0 ? Math.max(0, 1 - movedSince / lastPass.unknown.files) : 0;
    const backlog = {
      files: Math.max(queued.files, Math.round((lastPass?.unknown.files ?? 0) * share)),
      bytes: Math.max(queued.bytes, Math.round((lastPass?.unknown.bytes ?? 0) * share)),
    };
    const { totals } = ledger;
    const waits = backlog.files + backoff.size + totals.unprovedFiles > 0;
    const oldest = Math.min(
      waits ? (oldestSentMs ?? Infinity) : Infinity,
      settling.oldestArrivalMs() ?? Infinity,
    );
    return {
      atMs: nowMs,
      startedAtMs,
      total: copyCounters(counters),
      backlog,
      settling: settling.size,
      unproved: { files: totals.unprovedFiles, bytes: totals.unprovedBytes },
      retained: { files: totals.files - totals.unprovedFiles, bytes: totals.bytes - totals.unprovedBytes },
      failing: new Map([...backoff.byReason(), ...refused.byReason()]),
      skipped: lastPass?.report.skipped ?? new Map(),
      oldestUnprovedAgeMs: Number.isFinite(oldest) ? nowMs - oldest : undefined,
      lastSuccessAtMs,
      lastWalkAtMs,
      lastArrivalAtMs,
      store: storeState,
      disk,
      inFlight: sender.inFlight,
      draining,
    };
  };

  return {
    snapshot,
    done: run(),
    drain() {
      draining = true;
      finding.abort();
    },
    kill: () => stop.abort(),
    get turnedAtMs() {
      return turnedAtMs;
    },
  };
}
