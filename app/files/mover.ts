// The files mover: find -> settle -> put -> prove -> retain -> free, each a loop of its own over one ledger, so that
// none of them waits for another's trouble.
import { type ExitName, FerryError, isTransient, messageOf, StoreError } from '../core/errors.ts';
import { listPage } from '../core/listing.ts';
import { deadline, repeat, whenAborted } from '../core/loop.ts';
import { type Browser, createBrowser } from './browse.ts';
import { drainWithin } from './drain.ts';
import { moveOnce } from './once.ts';
import { assemble, type MoverOptions, type Parts, snapshotOf } from './parts.ts';
import { free } from './retain.ts';
import { lookAtDue } from './second-look.ts';
import type { FilesSnapshot } from './snapshot.ts';

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
  /** The files, for people to look at. */
  readonly files: Browser;
}

const KILLED = new Error('killed');
const PROVE_PAUSE_MS = 5_000;
const FREE_EVERY_MS = 1_000;
/**
 * Files that settle one by one are looked at and sent together, within a fifth of the settle time: twelve a second in
 * one wake-up and one commit instead of five cost 1.2 % of a core, where 1.6 % went before.
 */
const SETTLE_TURN_MIN_MS = 200;
const SETTLE_TURN_MAX_MS = 1_000;
const SETTLE_TURNS = 5;
/** What the kernel told of is looked at in the same turns, however late the next file is due. */
const HINTS_LOOK_MS = 500;
const PREFLIGHT_DEADLINE_MS = 10_000;
const LOOPS_END_MS = 1_000;
/** Half a million rows are read in within two seconds; finding does not wait for a slow disk. */
const WARM_WITHIN_MS = 5_000;
const RECEIPTS_EVERY_MS = 60_000;
/** The last receipt is no reason to be killed for: it would wait in the state directory. */
const RECEIPTS_END_MS = 5_000;

/** Rejects with FerryError when the ledger cannot be used. */
export async function startMover(options: MoverOptions): Promise<Mover> {
  const parts = assemble(options);
  const { stop, finding, times } = parts;
  const done = runAndReceipt(parts).finally(() => {
    stop.abort();
    parts.ledger.close();
  });
  return {
    snapshot: () => snapshotOf(parts),
    done,
    drain: () => finding.abort(),
    kill: () => stop.abort(KILLED),
    files: createBrowser(parts),
    get turnedAtMs() {
      return times.turnedAtMs;
    },
  };
}

/** What was proved and freed is in the bucket when this ends, unless it was killed. */
async function runAndReceipt(parts: Parts): Promise<ExitName> {
  const killed = parts.stop.signal;
  const ended = await run(parts);
  if (ended !== 'interrupted' && !(killed.aborted && killed.reason === KILLED)) await lastReceipt(parts);
  return ended;
}

async function lastReceipt({ ledger, receipts, watch, clock, log }: Parts): Promise<void> {
  const ended = new AbortController();
  const signal = deadline(clock, RECEIPTS_END_MS, ended.signal);
  try {
    ledger.commit();
    await receipts.publish(clock.now(), true, watch.retrier({ deadlineMs: RECEIPTS_END_MS }), signal);
  } catch (error) {
    log.warn(`the last receipt waits for the next start: ${messageOf(error)}`);
  } finally {
    ended.abort();
  }
}

async function run(parts: Parts): Promise<ExitName> {
  const { settings, stop } = parts;
  await preflight(parts);
  const once = settings.once || settings.dryRun;
  const loops = [settleLoop(parts)];
  if (once) {
    if (!settings.dryRun) loops.push(proveLoop(parts), receiptsLoop(parts));
    const ended = await moveOnce(parts);
    await endLoops(parts, loops);
    return ended;
  }
  // Not for one pass, which asks in path order and needs no memory of what is known.
  const warm = warmUp(parts);
  loops.push(warm, patrolLoop(parts, warm), backlogLoop(parts));
  loops.push(proveLoop(parts), freeLoop(parts), receiptsLoop(parts));
  await whenAborted(parts.finding.signal);
  if (!stop.signal.aborted) await drainWithin(parts, settings.drainMs);
  await endLoops(parts, loops);
  return 'ok';
}

/** They end as soon as what they wait for does; a file that is being hashed is not waited for. */
async function endLoops({ stop, clock }: Parts, loops: readonly Promise<void>[]): Promise<void> {
  stop.abort();
  await Promise.race([Promise.all(loops), clock.sleep(LOOPS_END_MS)]);
}

/** One listing, so that a wrong bucket, role or region is told at once and in one sentence. */
async function preflight({ settings, log, watch, finding, ledger, clock }: Parts): Promise<void> {
  const signal = deadline(clock, PREFLIGHT_DEADLINE_MS, finding.signal);
  try {
    const page = await watch.retrier({ deadlineMs: PREFLIGHT_DEADLINE_MS })(
      () => listPage(watch.store, '', '', signal),
      signal,
    );
    refuseEmptyFolder(settings.to, page.objects.length, ledger.totals.files);
  } catch (error) {
    if (finding.signal.aborted) return;
    // A store that may come back is waited for, unless there is only this one pass.
    const mayPass = isTransient(error) || (error instanceof StoreError && error.fault === 'aborted');
    if (settings.once || settings.dryRun || !mayPass) throw error;
    log.error(`the store cannot be reached yet, files wait: ${messageOf(error)}`);
  }
}

/** A folder that held objects and holds none now is a disk that is not mounted, far more often than a clean-up. */
function refuseEmptyFolder(to: string, objects: number, rememberedFiles: number): void {
  if (objects > 0 || rememberedFiles === 0 || to.startsWith('s3://')) return;
  throw new FerryError(
    'store',
    `${to} is empty, yet ${rememberedFiles} files were moved there`,
    'Mount it again; or, if it was emptied on purpose, delete the state directory',
  );
}

const loopOf = ({ clock, log, times }: Parts, what: string, signal: AbortSignal) => ({
  what,
  signal,
  clock,
  log,
  onTurn: () => {
    times.turnedAtMs = clock.now();
  },
});

/**
 * Where most of what lies here is known, the first patrol is in a hurry and sends the few files that came meanwhile. The
 * backlog pass, which it calls for more, keeps an order, and that takes 10 MB among half a million files.
 */
async function patrolLoop(parts: Parts, warm: Promise<void>): Promise<void> {
  const { passes, bells, clock, settings, finding, ledger } = parts;
  await Promise.race([warm, clock.sleep(WARM_WITHIN_MS, finding.signal)]);
  let hurried = ledger.isWarm && ledger.reconciled && ledger.totals.files > 0;
  if (!hurried) bells.backlog.ring();
  return repeat(loopOf(parts, 'looking for files', finding.signal), async () => {
    await passes.patrol(hurried);
    hurried = false;
    await clock.sleep(settings.walkEveryMs, finding.signal);
  });
}

function backlogLoop(parts: Parts): Promise<void> {
  const { passes, bells, finding } = parts;
  return repeat(loopOf(parts, 'working off the backlog', finding.signal), async () => {
    await bells.backlog.wait(finding.signal);
    if (finding.signal.aborted) return;
    try {
      if ((await passes.backlog(false)).overflowed) bells.backlog.ring();
    } catch (error) {
      bells.backlog.ring();
      throw error;
    }
  });
}

function proveLoop(parts: Parts): Promise<void> {
  const { bells, clock, settings, finding, prover, ledger } = parts;
  const { signal } = finding;
  let failed = false;
  return repeat(loopOf(parts, 'proving', signal), async () => {
    // After a failure a pause: what made the bell ring still stands.
    if (failed) await clock.sleep(Math.min(PROVE_PAUSE_MS, settings.proveEveryMs), signal);
    const rung = await bells.prove.waitAtMost(clock, settings.proveEveryMs, signal);
    if (signal.aborted) return;
    if (rung || prover.isDue(ledger.totals.unprovedFiles, clock.now())) failed = !(await prover.prove());
  });
}

function freeLoop(parts: Parts): Promise<void> {
  const { bells, clock, finding } = parts;
  return repeat(loopOf(parts, 'freeing', finding.signal), async () => {
    await bells.free.waitAtMost(clock, FREE_EVERY_MS, finding.signal);
    if (!finding.signal.aborted && (await free(parts))) bells.prove.ring();
  });
}

function receiptsLoop(parts: Parts): Promise<void> {
  const { receipts, bells, watch, clock, stop } = parts;
  const { signal } = stop;
  return repeat(loopOf(parts, 'writing receipts', signal), async () => {
    await bells.receipts.waitAtMost(clock, RECEIPTS_EVERY_MS, signal);
    if (!signal.aborted) await receipts.publish(clock.now(), false, watch.retrier(), signal);
  });
}

function settleLoop(parts: Parts): Promise<void> {
  const { settling, sender, bells, clock, stop, finder, passes, settings } = parts;
  const turnMs = Math.min(SETTLE_TURN_MAX_MS, Math.max(SETTLE_TURN_MIN_MS, settings.settleMs / SETTLE_TURNS));
  return repeat(loopOf(parts, 'settling', stop.signal), async () => {
    passes.hinted();
    lookAtDue(finder);
    sender.pump();
    bells.progress.ring();
    const dueInMs = (settling.nextDueMs() ?? Number.POSITIVE_INFINITY) - clock.now();
    await clock.sleep(Math.min(Math.max(HINTS_LOOK_MS, turnMs), Math.max(turnMs, dueInMs)), stop.signal);
  });
}

/** Fills the ledger's memory of known files in small steps. Never rejects: without it everything works, slower. */
async function warmUp({ ledger, clock, log, stop }: Parts): Promise<void> {
  try {
    while (!stop.signal.aborted && ledger.warmUp()) await clock.sleep(0, stop.signal);
  } catch (error) {
    log.warn(`the ledger could not be read ahead: ${messageOf(error)}`);
  }
}
