// The pump: takes files off the queue while the store, the memory and the ledger have room, and says how each ended.
import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, monotonicMs } from '../core/clock.ts';
import { messageOf, StoreError, type StoreFault } from '../core/errors.ts';
import { type CallOutcome, createLimiter } from '../core/limiter.ts';
import type { Log } from '../core/log.ts';
import { partSizeBytes, partsInFlight, SINGLE_PUT_MAX_BYTES } from '../core/store.ts';
import type { Backoff } from './backoff.ts';
import { add, type Counters } from './counters.ts';
import type { NewRow } from './ledger/ledger.ts';
import type { SendQueue } from './queue.ts';
import { contentStands, digestFile, ReadError } from './read.ts';
import { READ_BUFFER_BYTES, type SendPorts, sendFile } from './send.ts';
import { sameButCtime } from './settle.ts';
import type { FoundFile } from './walk.ts';

export interface SenderPorts extends SendPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly queue: SendQueue;
  readonly backoff: Backoff;
  readonly counters: Counters;
  readonly concurrency: number;
  /** A file changed while it was read: it must settle again. */
  readonly onChanged: (file: FoundFile) => void;
  /** A file was sent or found in the store; proved already where the store had it. */
  readonly onMoved: (row: NewRow) => void;
  /** A place in the queue came free, or nothing is left. */
  readonly onProgress: () => void;
}

export interface Sender {
  /** Starts whatever may start now. Called whenever something changed. */
  pump(): void;
  /** To be told of every call to the store that failed, also when it is made again: fewer then go at once. */
  callFailed(error: unknown): void;
  /** Nothing waits, nothing is in flight. */
  readonly idle: boolean;
  readonly inFlight: number;
  readonly inFlightBytes: number;
  readonly failuresInARow: number;
}

/** File contents held in memory at once; one file may exceed it alone. */
const BODIES_MAX_BYTES = 24 * 2 ** 20;

/** Rows kept in memory before they are written, each by itself 7 us more; also what a kill may make Ferry compare again. */
const COMMIT_ROWS = 128;
const COMMIT_AFTER_MS = 200;
const COMMIT_AGAIN_MS = 1_000;

const PUSHES_BACK: ReadonlySet<StoreFault> = new Set(['throttled', 'unavailable', 'timeout', 'network']);

export function createSender(ports: SenderPorts): Sender {
  const { clock, log, queue, backoff, counters, ledger, signal } = ports;
  const limiter = createLimiter(ports.concurrency);
  let bodyBytes = 0;
  let ledgerBlocked = false;
  let commitPlanned = false;
  let probePlanned = false;
  let goesOnSoon = false;
  let lastFailureMs = Number.NEGATIVE_INFINITY;

  const commit = (): void => {
    if (signal.aborted) return;
    try {
      ledger.commit();
      if (ledgerBlocked) log.info('the ledger can be written again; sending goes on');
      ledgerBlocked = false;
    } catch (error) {
      if (!ledgerBlocked) {
        log.error(
          `the ledger cannot be written: ${messageOf(error)}; nothing more is sent until it can. ` +
            'Give the state directory room',
        );
      }
      ledgerBlocked = true;
      counters.failures.set('ledger', (counters.failures.get('ledger') ?? 0) + 1);
    }
  };

  const planCommit = (): void => {
    if (ledger.uncommitted >= COMMIT_ROWS && !ledgerBlocked) commit();
    // After a stop no sleep waits any more: whoever stops commits the rest.
    if (commitPlanned || ledger.uncommitted === 0 || signal.aborted) return;
    commitPlanned = true;
    void clock.sleep(ledgerBlocked ? COMMIT_AGAIN_MS : COMMIT_AFTER_MS, signal).then(() => {
      commitPlanned = false;
      commit();
      planCommit();
      pump();
    });
  };

  const costOf = (file: FoundFile): number =>
    file.stat.size > SINGLE_PUT_MAX_BYTES
      ? partSizeBytes(file.stat.size) * partsInFlight(file.stat.size)
      : file.stat.size;

  const pump = (): void => {
    if (ledgerBlocked) return;
    for (let file = queue.peek(); file !== undefined && !signal.aborted; file = queue.peek()) {
      const nowMs = clock.now();
      if (!limiter.mayStart(nowMs)) {
        planProbe(nowMs);
        return;
      }
      // Others may have failed since it was queued.
      if (!backoff.mayTry(file.path, nowMs)) {
        queue.take();
        queue.done(file);
        continue;
      }
      // While nothing succeeds each probe is another file: some that are refused must not hide that others may pass.
      if (limiter.isProbing) file = queue.anyToFront() ?? file;
      const cost = costOf(file);
      if (bodyBytes > 0 && bodyBytes + cost > BODIES_MAX_BYTES) return;
      queue.take();
      limiter.started();
      bodyBytes += cost;
      const startedMs = monotonicMs();
      void moveOne(file).then((outcome) => {
        bodyBytes -= cost;
        // Of larger bodies the line is the measure; of calls made again the pauses are.
        const isMeasure = file.stat.size <= READ_BUFFER_BYTES && lastFailureMs < startedMs;
        limiter.ended(outcome, clock.now(), isMeasure ? monotonicMs() - startedMs : undefined);
        queue.done(file);
        goOnSoon();
      });
    }
  };

  /**
   * Once for all that end about the same time, and two turns of the loop after the first: by then the connections are
   * free again, and the next requests leave in one burst. After each file by itself this costs a seventh more CPU.
   */
  const goOnSoon = (): void => {
    if (goesOnSoon) return;
    goesOnSoon = true;
    void turn()
      .then(() => turn())
      .then(() => {
        goesOnSoon = false;
        planCommit();
        ports.onProgress();
        pump();
      });
  };

  const planProbe = (nowMs: number): void => {
    if (probePlanned || limiter.inFlight > 0) return;
    probePlanned = true;
    void clock.sleep(Math.max(1, limiter.notBeforeMs - nowMs), signal).then(() => {
      probePlanned = false;
      pump();
    });
  };

  const moveOne = async (file: FoundFile): Promise<CallOutcome> => {
    const { path, stat } = file;
    try {
      const known = ledger.get(path);
      if (known && sameButCtime(known.stat, stat)) {
        // Only its ctime moved (a chmod, a link): if the content stands, only the row is renewed, and proved again.
        const digests = await digestFile(`${ports.root}/${path}`, stat, signal);
        const current = ledger.get(path);
        if (current?.key === known.key && contentStands(ports.store, current, digests)) {
          ledger.remember({ ...current, stat, proved: false, thisRun: true }, current);
          backoff.clear(path);
          return 'neutral';
        }
      }
      const { outcome, row, conflicts } = await sendFile(ports, file);
      ledger.remember(row, ledger.get(path));
      backoff.clear(path);
      counters.conflicts += conflicts;
      if (conflicts > 0)
        log.warn('the key held other content; the file has a key of its own', { path, key: row.key });
      add(outcome === 'created' ? counters.sent : counters.deduplicated, stat.size);
      if (row.proved) add(counters.proved, stat.size);
      ports.onMoved(row);
      return 'ok';
    } catch (error) {
      return failed(file, error);
    }
  };

  const failed = (file: FoundFile, error: unknown): CallOutcome => {
    if (signal.aborted) return 'neutral';
    if (error instanceof ReadError && error.fault === 'vanished') {
      backoff.clear(file.path);
      return 'neutral';
    }
    if (error instanceof ReadError && error.fault === 'changed') {
      ports.onChanged(file);
      return 'neutral';
    }
    const reason = error instanceof ReadError || error instanceof StoreError ? error.fault : 'internal';
    counters.failures.set(reason, (counters.failures.get(reason) ?? 0) + 1);
    backoff.failed(file.path, reason, messageOf(error), clock.now());
    log.debug('a file could not be moved', { path: file.path, reason, error });
    // What pushes back was told by `callFailed`.
    return !(error instanceof StoreError) || error.fault === 'bad-request' ? 'neutral' : 'refused';
  };

  return {
    pump,
    callFailed(error) {
      lastFailureMs = monotonicMs();
      if (error instanceof StoreError && PUSHES_BACK.has(error.fault)) limiter.pushedBack(clock.now());
    },
    get idle() {
      return queue.waiting === 0 && limiter.inFlight === 0;
    },
    get inFlight() {
      return limiter.inFlight;
    },
    get inFlightBytes() {
      return bodyBytes;
    },
    get failuresInARow() {
      return limiter.failuresInARow;
    },
  };
}
