// A writer that goes on while the mover is killed again and again: each file is complete under its final name, and what
// was completed is remembered here, where no kill reaches it.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256, uniqueContent } from './mover-rig.ts';

export interface KillWriter {
  /** SHA-256 of every completed file, in order. */
  readonly completed: readonly string[];
  stop(): void;
}

/** Files that wait for a mover that is mostly being started: more would only make a slow machine slower. */
const WAITING_MAX = 3_000;

/**
 * Writes `filesPerTick` files every `everyMs`: most at once, some renamed into place, into a few directories.
 * @param moved how many have left by now
 */
export function startKillWriter(
  source: string,
  filesPerTick: number,
  everyMs: number,
  moved: () => number,
): KillWriter {
  const completed: string[] = [];
  let number = 0;
  const timer = setInterval(() => {
    if (completed.length - moved() > WAITING_MAX) return;
    for (let count = 0; count < filesPerTick; count += 1) {
      number += 1;
      const absolute = join(source, `d${number % 5}`, `file-${number}`);
      mkdirSync(dirname(absolute), { recursive: true });
      const content = uniqueContent(`file-${number}`, 1_000);
      if (number % 3 === 0) {
        writeFileSync(`${absolute}.part`, content);
        renameSync(`${absolute}.part`, absolute);
      } else writeFileSync(absolute, content);
      completed.push(sha256(content));
    }
  }, everyMs);
  return { completed, stop: () => clearInterval(timer) };
}
