// Writing a line of a receipt: what happened to one file, in a form that people, Athena and `ferry verify` read.
import type { LedgerRow } from '../ledger/ledger.ts';
import { type BytePath, toText } from '../paths.ts';

/** Below the destination. Query engines take names that begin with `_` for no data. */
export const RECEIPTS_PREFIX = '_receipts/';

/**
 * `retention`: its time was over. `disk`: the volume was near its limit. `spill`: it was on the spill volume, which keeps
 * nothing beyond its proof. `gone`: it was no longer there to be freed.
 */
export type FreedWhy = 'retention' | 'disk' | 'spill' | 'gone';

/** What a receipt tells of a file that was proved. */
export type ProvedRow = Pick<LedgerRow, 'path' | 'key' | 'stat' | 'sha256' | 'etag' | 'proof'>;

/** Written by hand: a line for each file costs a microsecond, not five. */
export function provedLine(row: ProvedRow, atMs: number, sentAtMs: number | undefined): string {
  const sent = sentAtMs === undefined ? '' : `,"sent":"${iso(sentAtMs)}"`;
  return (
    `{"event":"proved","at":"${iso(atMs)}","file":${quotedPath(row.path)},"key":${quoted(row.key)},` +
    `"bytes":${row.stat.size},"sha256":"${row.sha256}","etag":${quoted(row.etag)},` +
    `"written":"${isoWritten(row.stat.mtimeMs)}"${sent},"proof":"${row.proof}"}\n`
  );
}

export function freedLine(row: LedgerRow, why: FreedWhy, atMs: number): string {
  return (
    `{"event":"freed","at":"${iso(atMs)}","file":${quotedPath(row.path)},"key":${quoted(row.key)},` +
    `"bytes":${row.stat.size},"why":"${why}"}\n`
  );
}

export const endLine = (source: string, lines: number, lost: number): string =>
  `${JSON.stringify({ event: 'end', source, lines, lost })}\n`;

/** Printable ASCII that JSON writes as it is: nearly every name. */
const PLAIN = /^[ !#-[\]-~]*$/;
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));
const quotedPath = (path: BytePath): string =>
  PLAIN.test(path) ? `"${path}"` : JSON.stringify(toText(path));

/** A file system may hold times that no date of four digits says. */
const clamp = (ms: number): number =>
  Math.floor(Math.min(253_402_300_799_999, Math.max(-62_167_219_200_000, ms)));

/** ISO 8601 in UTC. Files come in runs of the same second, and making a date costs more than the rest of a line. */
function createStamp(): (ms: number) => string {
  let lastSecond = Number.NaN;
  let text = '';
  return (ms) => {
    const time = clamp(ms);
    const second = Math.floor(time / 1_000);
    if (second !== lastSecond) {
      lastSecond = second;
      text = new Date(second * 1_000).toISOString().slice(0, -4);
    }
    const rest = time - second * 1_000;
    return rest < 10 ? `${text}00${rest}Z` : rest < 100 ? `${text}0${rest}Z` : `${text}${rest}Z`;
  };
}

// What happens now and what was written before lie apart.
const iso = createStamp();
const isoWritten = createStamp();
