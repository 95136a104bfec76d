// One pass and an end: everything found is tried, settles if it must, is proved and, when its time is over, freed.
import { type ExitName, StoreError } from '../core/errors.ts';
import { drainWithin } from './drain.ts';
import { wouldDeleteText } from './ending.ts';
import type { Parts } from './parts.ts';
import { free } from './retain.ts';

/** A store that refuses so many calls in a row is down: better to end and say so than to try each file. */
const FAILURES_MAX = 24;
/** A round meets what found no room in the one before, up to 20,000 files; objects that vanish ask for one more each. */
const ROUNDS_MAX = 1_000;
const VANISHED_ROUNDS_MAX = 2;
const LOOK_EVERY_MS = 250;
/** A file that is still written to after this long, or ten times the settle time, is left for the next run. */
const SETTLE_AT_MOST_MS = 60_000;

/** Rejects with StoreError when the store is down. */
export async function moveOnce(parts: Parts): Promise<ExitName> {
  const { settings, ledger, passes, prover, counters, finding, stop, sightings } = parts;
  for (let round = 1; round <= ROUNDS_MAX && !finding.signal.aborted; round += 1) {
    const missingBefore = counters.vanishedObjects;
    const pass = await passes.backlog(true);
    await untilQuiet(parts);
    if (!settings.dryRun) {
      if (!(await prover.prove(finding.signal))) break;
      // Rows of earlier runs are hashed first, then listed, then freed.
      if ((await free(parts)) && (await prover.prove(finding.signal))) await free(parts);
    }
    if (!pass.overflowed && (counters.vanishedObjects === missingBefore || round >= VANISHED_ROUNDS_MAX))
      break;
  }
  if (stop.signal.aborted) return 'interrupted';
  if (finding.signal.aborted) await drainWithin(parts, settings.drainMs);
  ledger.commit();
  if (settings.dryRun) parts.log.info(wouldDeleteText(parts));
  tellLeftBehind(parts);
  const left = parts.backoff.size + parts.settling.size + parts.queue.waiting;
  const unproved = settings.dryRun ? 0 : ledger.totals.unprovedFiles;
  const unseen = sightings.last?.report.complete === false;
  return left + unproved > 0 || unseen || finding.signal.aborted ? 'incomplete' : 'ok';
}

function tellLeftBehind({ backoff, refused, log }: Parts): void {
  for (const failing of [backoff, refused]) {
    for (const [reason, files] of failing.byReason()) {
      const example = failing.example(reason);
      log.warn(`left behind (${reason}): ${example?.message ?? ''}`, { files, path: example?.path });
    }
  }
}

/** Waits until everything found was tried and has settled, but not for ever for a file still written to. */
async function untilQuiet({
  clock,
  settings,
  settling,
  sender,
  watch,
  bells,
  finding,
}: Parts): Promise<void> {
  const settleUntilMs = clock.now() + Math.max(SETTLE_AT_MOST_MS, 10 * settings.settleMs);
  for (;;) {
    const settles = settling.size > 0 && clock.now() < settleUntilMs;
    if (finding.signal.aborted || (sender.idle && !settles)) return;
    if (sender.failuresInARow >= FAILURES_MAX && watch.state?.ok === false) {
      throw new StoreError('unavailable', watch.state.message ?? 'The store does not answer.');
    }
    await bells.progress.waitAtMost(clock, LOOK_EVERY_MS, finding.signal);
  }
}
