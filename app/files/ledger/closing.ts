// How a ledger was left: one that is found as it was left need not be read from end to end before it is used. That read
// takes 0.5 s a million rows, and from a cold disk as long as the disk takes for 300 MB.
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { sameStat } from '../settle.ts';
import type { LedgerTotals } from './ledger.ts';

const Closing = z.object({
  stat: z.object({ size: z.number(), mtimeMs: z.number(), ctimeMs: z.number(), ino: z.number() }),
  totals: z.object({
    files: z.number(),
    bytes: z.number(),
    unprovedFiles: z.number(),
    unprovedBytes: z.number(),
  }),
});

const noteOf = (file: string): string => `${file}.closed`;
/** What was committed and has not yet reached the file itself. */
const hasMore = (file: string): boolean => existsSync(`${file}-wal`);

/** Notes the file of a ledger just closed. Where it cannot be noted, the next opening reads it all. */
export function noteClosing(file: string, totals: LedgerTotals): void {
  try {
    if (hasMore(file)) return;
    const { size, mtimeMs, ctimeMs, ino } = lstatSync(file);
    writeFileSync(noteOf(file), JSON.stringify({ stat: { size, mtimeMs, ctimeMs, ino }, totals }));
  } catch {
    rmSync(noteOf(file), { force: true });
  }
}

/**
 * Takes the note away, before anything is written: after a kill there is none.
 * @returns the totals of the rows when the file is what was noted; undefined when it must be read
 */
export function takeClosing(file: string): LedgerTotals | undefined {
  try {
    const text = readFileSync(noteOf(file), 'utf8');
    rmSync(noteOf(file));
    const { stat, totals } = Closing.parse(JSON.parse(text));
    return !hasMore(file) && sameStat(lstatSync(file), stat) ? totals : undefined;
  } catch {
    return undefined;
  }
}
