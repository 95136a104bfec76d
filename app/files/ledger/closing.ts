// How a ledger was left: one that is found as it was left need not be read from end to end before it is used. That read
// takes 0.5 s a million rows, and from a cold disk as long as the disk takes for 350 MB. The note is made and taken by
// whoever holds the database's lock: nobody else comes between a look at the file and what is done with it.
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { sameStat } from '../settle.ts';
import type { FileStat } from '../walk.ts';
import type { LedgerTotals } from './ledger.ts';

const Count = z.number().int().nonnegative();
const Closing = z.object({
  stat: z.object({ size: z.number(), mtimeMs: z.number(), ctimeMs: z.number(), ino: z.number() }),
  totals: z
    .object({ files: Count, bytes: Count, unprovedFiles: Count, unprovedBytes: Count })
    .refine((totals) => totals.unprovedFiles <= totals.files && totals.unprovedBytes <= totals.bytes),
});

const noteOf = (file: string): string => `${file}.closed`;

/** The file's state; undefined when there is more than it, commits that have not reached it, or it is a link. */
function stateOf(file: string): FileStat | undefined {
  if ((lstatSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return undefined;
  const stat = lstatSync(file);
  return stat.isFile() ? stat : undefined;
}

/** Notes the file of a ledger that is about to be closed, all written. Where it cannot, the next opening reads it all. */
export function noteClosing(file: string, totals: LedgerTotals): void {
  try {
    const found = stateOf(file);
    if (found === undefined) return;
    const { size, mtimeMs, ctimeMs, ino } = found;
    writeFileSync(noteOf(file), JSON.stringify({ stat: { size, mtimeMs, ctimeMs, ino }, totals }));
  } catch {
    dropClosing(file);
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
    const found = stateOf(file);
    return found !== undefined && sameStat(found, stat) ? totals : undefined;
  } catch {
    return undefined;
  }
}

/** What was noted is not to be believed. */
export function dropClosing(file: string): void {
  try {
    rmSync(noteOf(file), { force: true });
  } catch {
    // It tells of another state of the file than the one to come.
  }
}
