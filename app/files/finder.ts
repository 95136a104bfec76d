// From the walk to the queue: which of the files found are known, too young, backing off, or ready to go.
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Backoff } from './backoff.ts';
import { add, type Counters, type MutableTally } from './counters.ts';
import { restoreAside } from './free.ts';
import type { Hints } from './hints.ts';
import type { Ledger } from './ledger/ledger.ts';
import { type BytePath, parentOf, toText } from './paths.ts';
import type { Lane, SendQueue } from './queue.ts';
import { arrivedMs, type Settling, settledAtMs } from './settle.ts';
import { type FoundFile, startWalk, type WalkReport } from './walk.ts';

export interface FinderPorts {
  readonly root: BytePath;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly queue: SendQueue;
  readonly settling: Settling;
  readonly backoff: Backoff;
  readonly counters: Counters;
  readonly settleMs: number;
  /** Where names of very large directories may wait; absent where nothing may be written. */
  readonly state?: string | undefined;
  /** Told where files arrive. Absent where one pass is all there is. */
  readonly hints?: Hints | undefined;
}

/** A directory where a file arrived so lately is worth watching. */
const LATELY_MS = 10 * 60_000;

/** So many names at a time live and die young: 65,536 of them outlive a pause and cost the collector a tenth of a patrol. */
const UNORDERED_NAMES = 1_024;

/** What one pass met. */
export interface PassResult {
  readonly report: WalkReport;
  /** Complete files that the ledger does not know. */
  readonly unknown: MutableTally;
  readonly oldestUnprovedMs: number | undefined;
  readonly newestArrivalMs: number | undefined;
  /** Files that found no room to wait in: another pass will meet them. */
  readonly overflowed: boolean;
}

/** `known`: sent in this state. `waiting`: queued, in flight or backing off. `young`: it settles. `ready`: it may go. */
export type Standing = 'known' | 'waiting' | 'young' | 'young-overflow' | 'ready';

/** Where one found file stands; a young one is watched from here on. */
export function standingOf(
  ports: FinderPorts,
  file: FoundFile,
  nowMs: number,
  knows: Ledger['knows'] = ports.ledger.knows,
): { standing: Standing; proved: boolean } {
  const known = knows(file.path, file.stat);
  if (known !== undefined) return { standing: 'known', proved: known === 'proved' };
  ports.backoff.met(file.path);
  if (ports.queue.has(file.path) || !ports.backoff.mayTry(file.path, nowMs))
    return { standing: 'waiting', proved: false };
  if (settledAtMs(file.stat, nowMs, ports.settleMs) <= nowMs) return { standing: 'ready', proved: false };
  return { standing: ports.settling.watch(file, nowMs) ? 'young' : 'young-overflow', proved: false };
}

/**
 * One pass over the source. `onReady` gets each file that may go and returns whether it found room; it may wait.
 * The walk is the truth.
 */
export async function findPass(
  ports: FinderPorts,
  options: {
    readonly cpuShare: number;
    readonly signal: AbortSignal;
    /** Whether failing files that this pass does not meet are gone. Passes that do so must not overlap. */
    readonly forgetsGone: boolean;
    /**
     * Whether even the largest directory must come in one order: a pass that sends pays 2 us a file for it and saves more
     * in the ledger and the listings. One that mostly meets what is known need not.
     */
    readonly inOrder: boolean;
    readonly onReady: (file: FoundFile, nowMs: number) => boolean | Promise<boolean>;
  },
): Promise<PassResult> {
  const { root, clock, log, backoff, counters } = ports;
  const unknown = { files: 0, bytes: 0 };
  let oldestUnprovedMs: number | undefined;
  let newestArrivalMs: number | undefined;
  let overflowed = false;
  if (options.forgetsGone) backoff.beginPass();
  const walk = startWalk({
    root,
    clock,
    cpuShare: options.cpuShare,
    signal: options.signal,
    ...(options.inOrder ? { runsIn: ports.state } : { namesHeld: UNORDERED_NAMES }),
    onAside(path, original) {
      try {
        restoreAside(root, path, original);
        log.info('a file that was about to be freed when Ferry stopped has its name back', {
          path: toText(original),
        });
      } catch (error) {
        walk.report.complete = false;
        walk.report.problems.push(`${toText(path)} cannot get its name back: ${messageOf(error)}`);
      }
    },
  });
  const knows = options.inOrder ? ports.ledger.knowsInPathOrder() : ports.ledger.knows;
  for await (const batch of walk.batches) {
    const nowMs = clock.now();
    for (const file of batch) {
      const { standing, proved } = standingOf(ports, file, nowMs, knows);
      const arrived = arrivedMs(file.stat);
      if (newestArrivalMs === undefined || arrived > newestArrivalMs) newestArrivalMs = arrived;
      if (!proved && (oldestUnprovedMs === undefined || arrived < oldestUnprovedMs))
        oldestUnprovedMs = arrived;
      if (standing === 'known') continue;
      if (nowMs - arrived < LATELY_MS) ports.hints?.near(parentOf(file.path));
      if (standing === 'young-overflow') overflowed = true;
      if (standing === 'ready' || standing === 'waiting') add(unknown, file.stat.size);
      if (standing === 'ready') {
        const taken = options.onReady(file, nowMs);
        if (!(typeof taken === 'boolean' ? taken : await taken)) overflowed = true;
      }
    }
  }
  counters.walks += 1;
  if (options.forgetsGone && walk.report.complete) backoff.endPass();
  return { report: walk.report, unknown, oldestUnprovedMs, newestArrivalMs, overflowed };
}

/** Puts a file into a lane and counts it as seen the first time. */
export function enqueue(ports: FinderPorts, file: FoundFile, lane: Lane): boolean {
  const { queue, backoff, counters } = ports;
  const first = !backoff.knows(file.path);
  if (!queue.offer(file, lane)) return queue.has(file.path);
  // Another pass may have found it settled before its second look was due.
  ports.settling.drop(file.path);
  if (first) add(counters.seen, file.stat.size);
  return true;
}
