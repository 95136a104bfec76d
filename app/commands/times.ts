// Times as people write them on the command line.
import { FerryError } from '../core/errors.ts';
import { parseDurationMs } from '../core/units.ts';

const DATE = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(:\d\d(?::\d\d(?:\.\d{1,3})?)?)?Z?)?$/;

/** `2026-11-20`, `2026-11-20T13`, `2026-11-20T13:30`, or `12h` for so long ago; in UTC. Undefined when it is no time. */
export function timeOf(text: string, nowMs: number): number | undefined {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const [, date, hour = '00', rest = ':00'] = DATE.exec(text) ?? [];
  const ms = Date.parse(`${date}T${hour}${rest}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** @throws FerryError `config` when it is no time */
export function parseTime(flag: string, text: string, nowMs: number): number {
  const ms = timeOf(text, nowMs);
  if (ms !== undefined) return ms;
  throw new FerryError(
    'config',
    `${flag} "${text}" is no time`,
    'Write 2026-11-20, 2026-11-20T13 or 2026-11-20T13:30 in UTC, or 12h for twelve hours ago.',
  );
}
