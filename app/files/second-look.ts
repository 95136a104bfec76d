// Young files get their second look when their time has come; who still changes goes on waiting.
import { enqueue, type FinderPorts } from './finder.ts';
import { sameStat } from './settle.ts';
import { type FileStat, type FoundFile, lookAgain } from './walk.ts';

/** Hands on every watched file that stood still. */
export function lookAtDue(ports: FinderPorts): void {
  const nowMs = ports.clock.now();
  // No more than the queue has room for: the others stay watched.
  for (const file of ports.settling.due(nowMs, ports.queue.room('fresh'))) {
    const stat = look(ports, file.path);
    if (stat === undefined) continue;
    if (!sameStat(stat, file.stat)) ports.settling.watch({ path: file.path, stat }, nowMs);
    else if (!enqueue(ports, file, 'fresh')) ports.settling.watch(file, nowMs);
  }
}

/** A file changed while it was read: it settles anew, from what it is now. */
export function watchAnew(ports: FinderPorts, file: FoundFile): void {
  const stat = look(ports, file.path);
  const nowMs = ports.clock.now();
  if (stat && !ports.settling.watch({ path: file.path, stat }, nowMs)) {
    ports.backoff.failed(file.path, 'changed', 'it changed while it was read', nowMs);
  }
}

function look({ root, log }: FinderPorts, path: string): FileStat | undefined {
  try {
    return lookAgain(root, path);
  } catch (error) {
    log.debug('a second look failed', { error });
    return undefined;
  }
}
