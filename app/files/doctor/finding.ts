// What `ferry doctor` finds: one sentence each with a level and, where something is to be done, what; and how it is printed.
import type { Writable } from 'node:stream';

/** `unknown`: could not be looked at; never a reason to go on as if it were well. */
export type FindingLevel = 'ok' | 'warn' | 'fail' | 'unknown';

export interface Finding {
  /** Stable, for machines: `s3.put`, `source.directories`, … */
  readonly check: string;
  readonly level: FindingLevel;
  /** One sentence. */
  readonly message: string;
  /** What to do; present on every `warn` and `fail`. */
  readonly remedy?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, level: 'ok', message });
export const unknown = (check: string, message: string): Finding => ({ check, level: 'unknown', message });
export const warn = (check: string, message: string, remedy: string): Finding => ({
  check,
  level: 'warn',
  message,
  remedy,
});
export const fail = (check: string, message: string, remedy: string): Finding => ({
  check,
  level: 'fail',
  message,
  remedy,
});

/** `1,048,576`. */
export const count = (amount: number): string => amount.toLocaleString('en-US');

/** Something of a list that may be long: the first few by name, the rest as a number. */
export function few(names: readonly string[], total = names.length): string {
  const shown = names.slice(0, 3).join(', ');
  return total > 3 ? `${shown} and ${total - 3} more` : shown;
}

const WORDS: Record<FindingLevel, string> = {
  ok: 'ok     ',
  warn: 'warn   ',
  fail: 'FAIL   ',
  unknown: 'unknown',
};

/** One line per finding for people, its remedy below it, and a line that sums up. */
export function printFindings(stdout: Writable, findings: readonly Finding[]): void {
  for (const { level, message, remedy } of findings) {
    stdout.write(`${WORDS[level]}  ${message}\n`);
    if (remedy !== undefined) stdout.write(`         -> ${remedy}\n`);
  }
  const { ok: good, warn: warned, fail: failed, unknown: unseen } = countLevels(findings);
  const sum = `${good} ok, ${warned} to look at, ${failed} to mend, ${unseen} unknown`;
  stdout.write(`\n${failed === 0 ? 'Ferry can work here' : 'Ferry cannot work here yet'}: ${sum}.\n`);
}

/** The same as one JSON document. */
export function printFindingsJson(stdout: Writable, findings: readonly Finding[]): void {
  const counts = countLevels(findings);
  stdout.write(`${JSON.stringify({ healthy: counts.fail === 0, counts, findings }, null, 2)}\n`);
}

function countLevels(findings: readonly Finding[]): Record<FindingLevel, number> {
  const counts = { ok: 0, warn: 0, fail: 0, unknown: 0 };
  for (const { level } of findings) counts[level] += 1;
  return counts;
}
