// Stopping: finish what is in flight, send the newest files within the budget, prove what can be, say what is left.
import { deadline } from '../core/loop.ts';
import { enqueue } from './finder.ts';
import type { Parts } from './parts.ts';

const LOOK_EVERY_MS = 250;

export async function drainWithin(parts: Parts, budgetMs: number): Promise<void> {
  const { clock, log, queue, settling, sender, backoff, ledger, passes, prover, bells, stop } = parts;
  const untilMs = clock.now() + budgetMs;
  const remainingMs = (): number => untilMs - clock.now();

  const newest = await passes.newest(deadline(clock, budgetMs / 2, stop.signal));
  for (const file of newest) enqueue(parts.finder, file, 'fresh');
  queue.newestFirst();
  sender.pump();
  let young = settling.size;
  while ((!sender.idle || settling.size > 0) && remainingMs() > 0 && !stop.signal.aborted) {
    await bells.progress.waitAtMost(clock, Math.min(LOOK_EVERY_MS, Math.max(1, remainingMs())), stop.signal);
    // What has settled meanwhile is newer than all that waits.
    if (settling.size < young) queue.newestFirst();
    young = settling.size;
  }
  if (remainingMs() > 0) await prover.prove(deadline(clock, remainingMs(), stop.signal));
  ledger.commit();

  const left = queue.waiting + sender.inFlight + settling.size + backoff.size;
  const what = left === 0 ? 'nothing is left to send' : `${left} files are left for the next start`;
  log.info(`drained: ${what}`, { left, unproved: ledger.totals.unprovedFiles });
}
