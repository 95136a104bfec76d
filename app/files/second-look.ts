// Young files get their second look when their time has come; who still changes goes on waiting.
import type { Bell } from '../core/bell.ts';
import { enqueue, type FinderPorts } from './finder.ts';
import { sameStat } from './settle.ts';
import { type FileStat, type FoundFile, lookAgain } from './walk.ts';

export interface SecondLookPorts extends FinderPorts {
  /** Rung when a file found no room and only a pass will meet it again. */
  readonly backlogBell: Bell;
}

/** Hands on every watched file that stood still. */
export function lookAtDue(ports: SecondLookPorts): void {
  const nowMs = ports.clock.now();
  for (const file of ports.settling.due(nowMs)) {
    const stat = look(ports, file.path);
    if (stat === undefined) continue;
    if (!sameStat(stat, file.stat)) ports.settling.watch({ path: file.path, stat }, nowMs);
    else if (!enqueue(ports, file, 'fresh')) ports.backlogBell.ring();
  }
}

/** A file changed while it was read: it settles anew, from what it is now. */
export function watchAnew(ports: SecondLookPorts, file: FoundFile): void {
  const stat = look(ports, file.path);
  if (stat && !ports.settling.watch({ path: file.path, stat }, ports.clock.now())) ports.backlogBell.ring();
}

function look({ root, log }: SecondLookPorts, path: string): FileStat | undefined {
  try {
    return lookAgain(root, path);
  } catch (error) {
    log.debug('a second look failed', { error });
    return undefined;
  }
}
