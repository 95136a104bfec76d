// The live status: what the mover knows about itself, as a few lines for a person who watches.

import type { DiskReading } from '../core/disk.ts';
import { formatBytes, formatDuration } from '../core/units.ts';
import type { FilesSnapshot } from './snapshot.ts';
import { verdict } from './summary.ts';

/** How a part of a line is to be seen; `plain` where there are no colours. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'dim';

/** A line of the status as pieces of text, each in its tone. */
export type StatusLine = readonly (readonly [text: string, tone: Tone])[];

const LABEL_COLUMNS = 9;
const FIRST_COLUMNS = 34;
const BAR_COLUMNS = 16;
/** Below this width a second fact stands on a line of its own. */
const TWO_FACTS_COLUMNS = 64;

/**
 * The status as plain lines, none longer than `width` columns.
 * @param before an earlier snapshot (a few seconds): rates are taken between the two; undefined at the start.
 */
export function renderStatus(
  snapshot: FilesSnapshot,
  before: FilesSnapshot | undefined,
  width: number,
): string[] {
  return statusLines(snapshot, before, width).map((line) => line.map(([text]) => text).join(''));
}

/** The same with tones, for a terminal with colours. */
export function statusLines(
  snapshot: FilesSnapshot,
  before: FilesSnapshot | undefined,
  width: number,
): StatusLine[] {
  const { total, backlog, unproved, retained } = snapshot;
  const was = before?.total;
  const elapsedMs = before ? snapshot.atMs - before.atMs : 0;
  const rate = (now: number, then: number | undefined) =>
    elapsedMs > 0 && then !== undefined ? (now - then) / (elapsedMs / 1_000) : undefined;
  const rates = (files: number | undefined, bytes: number | undefined) =>
    files === undefined || bytes === undefined
      ? '-'
      : `${perSecond(files)} files/s, ${formatBytes(Math.round(bytes))}/s`;

  const oldest = snapshot.oldestUnprovedAgeMs;
  const facts: [label: string, first: string, tone: Tone, second: string][] = [
    [
      'in',
      rates(rate(total.seen.files, was?.seen.files), rate(total.seen.bytes, was?.seen.bytes)),
      'plain',
      `${count(total.seen.files)} seen, ${count(snapshot.settling)} may still grow`,
    ],
    [
      'out',
      rates(rate(total.sent.files, was?.sent.files), rate(total.sent.bytes, was?.sent.bytes)),
      'plain',
      `${count(total.sent.files)} sent, ${count(total.deduplicated.files)} already there`,
    ],
    [
      'backlog',
      `${count(backlog.files)} files, ${formatBytes(backlog.bytes)}`,
      'plain',
      oldest === undefined ? 'nothing waits' : `oldest unproved ${formatDuration(oldest)}`,
    ],
    [
      'proved',
      `${count(total.proved.files)} files`,
      'good',
      `${count(unproved.files)} sent and not yet proved`,
    ],
    [
      'freed',
      `${count(total.freed.files)} files, ${formatBytes(total.freed.bytes)}`,
      'good',
      `${count(retained.files)} kept for the operators`,
    ],
  ];
  const lines = [verdictLine(snapshot, width)];
  lines.push(
    ...facts.flatMap(([label, first, tone, second]) => factLines(label, first, tone, second, width)),
  );
  if (snapshot.disk) lines.push(...diskLines(snapshot.disk, width));
  lines.push(...errorLines(snapshot, width));
  return lines;
}

function verdictLine(snapshot: FilesSnapshot, width: number): StatusLine {
  const { verdict: name, why } = verdict(snapshot);
  const tone = name === 'stuck' ? 'bad' : name === 'flowing' || name === 'idle' ? 'good' : 'plain';
  return cut(
    [
      ['verdict'.padEnd(LABEL_COLUMNS), 'dim'],
      [`${name}: `, tone],
      [oneLine(why), 'plain'],
    ],
    width,
  );
}

function factLines(label: string, first: string, tone: Tone, second: string, width: number): StatusLine[] {
  const head = label.padEnd(LABEL_COLUMNS);
  if (width < TWO_FACTS_COLUMNS) {
    return [
      cut(
        [
          [head, 'dim'],
          [first, tone],
        ],
        width,
      ),
      cut(
        [
          [' '.repeat(LABEL_COLUMNS), 'plain'],
          [second, 'dim'],
        ],
        width,
      ),
    ];
  }
  return [
    cut(
      [
        [head, 'dim'],
        [first.padEnd(FIRST_COLUMNS), tone],
        [second, 'dim'],
      ],
      width,
    ),
  ];
}

function diskLines(disk: DiskReading, width: number): StatusLine[] {
  const share = disk.limitBytes > 0 ? disk.usedBytes / disk.limitBytes : 0;
  // Rounded down: a full bar is a full disk.
  const filled = Math.min(BAR_COLUMNS, Math.floor(share * BAR_COLUMNS));
  const level = disk.level === 'ok' ? '' : `, ${disk.level}`;
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}] ${Math.floor(share * 100)}%${level}`;
  const tone = disk.level === 'ok' ? 'good' : disk.level === 'high' ? 'warn' : 'bad';
  const full = disk.fullInMs === undefined ? 'not filling' : `full in ${formatDuration(disk.fullInMs)}`;
  const use = `${formatBytes(disk.usedBytes)} of ${formatBytes(disk.limitBytes)}`;
  return factLines('disk', bar, tone, `${full}, ${use}`, width);
}

function errorLines(snapshot: FilesSnapshot, width: number): StatusLine[] {
  const { store, failing } = snapshot;
  const head = 'error'.padEnd(LABEL_COLUMNS);
  const lines: StatusLine[] = [];
  if (store && !store.ok) {
    const why = store.message ?? store.fault ?? 'the store does not answer';
    const since = formatDuration(Math.max(0, snapshot.atMs - store.sinceMs));
    lines.push(
      cut(
        [
          [head, 'dim'],
          [`for ${since}: ${oneLine(why)}`, 'bad'],
        ],
        width,
      ),
    );
  }
  if (failing.size > 0) {
    const reasons = [...failing].map(([reason, files]) => `${count(files)} ${reason}`).join(', ');
    lines.push(
      cut(
        [
          [head, 'dim'],
          [`not sent yet: ${oneLine(reasons)}`, 'warn'],
        ],
        width,
      ),
    );
  }
  return lines.length > 0
    ? lines
    : [
        cut(
          [
            [head, 'dim'],
            ['none', 'plain'],
          ],
          width,
        ),
      ];
}

/** Shortens to `width` columns; the last one shows that something was left out. */
function cut(line: StatusLine, width: number): StatusLine {
  const kept: [string, Tone][] = [];
  let left = width;
  for (const [text, tone] of line) {
    const fits = text.length <= left;
    kept.push([fits ? text : `${text.slice(0, Math.max(0, left - 1))}${left > 0 ? '~' : ''}`, tone]);
    left -= Math.min(text.length, left);
    if (!fits) break;
  }
  return kept;
}

/** What a server says may hold anything: line breaks and escape codes must not reach the terminal. */
function oneLine(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function perSecond(value: number): string {
  return value < 100 ? value.toFixed(1) : count(Math.round(value));
}
