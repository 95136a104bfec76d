// The summary line: what a person reads in the log to know whether the data flows, and the same as fields for machines.
import { formatBytes, formatDuration } from '../core/units.ts';
import { reasonsClause } from './reasons.ts';
import type { FilesSnapshot, Tally } from './snapshot.ts';

export type VerdictName = 'idle' | 'flowing' | 'settling' | 'stuck' | 'starting' | 'draining';

export interface Verdict {
  readonly verdict: VerdictName;
  /** One sentence. */
  readonly why: string;
}

/** Files that wait this long without any success are stuck: well above a proof's interval and a retry's longest pause. */
const STUCK_AFTER_MS = 15 * 60_000;
/** The same when the store's last answer was a failure or every waiting file fails. */
const STUCK_WITH_FAULT_MS = 2 * 60_000;
/** The store itself has failed for this long: more than a moment, and nothing can move. */
const STUCK_STORE_MS = 10_000;
/** A walk of a million files takes seconds of CPU, minutes at a small share of a core. */
const WALK_OVERDUE_MS = 60 * 60_000;
/** After this long without an arrival the writer is idle. */
const IDLE_AFTER_MS = 30_000;

/**
 * Whether the data flows, told from one snapshot. An idle writer leaves nothing waiting; a stuck uploader leaves files
 * that wait while nothing succeeds.
 */
export function verdict(now: FilesSnapshot): Verdict {
  const waiting = now.backlog.files + now.unproved.files;
  // A file that may not be deleted is in the store: it holds nothing up.
  const failing = sum(now.failing) - (now.failing.get('cannot-delete') ?? 0);
  const held = Math.max(waiting, failing);
  const fault = faultOf(now);
  if (now.draining) {
    const left = now.inFlight === 0 && held === 0;
    return {
      verdict: 'draining',
      why: left
        ? 'Stopping; nothing is left to move.'
        : `Stopping: ${count(now.inFlight, 'file')} in flight, ${waitingText(now)}.`,
    };
  }
  const walkAgeMs = now.lastWalkAtMs === undefined ? undefined : now.atMs - now.lastWalkAtMs;
  if ((walkAgeMs ?? now.atMs - now.startedAtMs) >= WALK_OVERDUE_MS && quietMs(now) >= STUCK_AFTER_MS) {
    return {
      verdict: 'stuck',
      why: `No walk over the source has ended for ${formatDuration(walkAgeMs ?? now.atMs - now.startedAtMs)}.`,
    };
  }
  if (held > 0) {
    const limitMs = fault === '' ? STUCK_AFTER_MS : STUCK_WITH_FAULT_MS;
    const waitedMs = Math.min(quietMs(now), now.oldestUnprovedAgeMs ?? Infinity);
    const storeDown = now.store?.ok === false && now.atMs - now.store.sinceMs >= STUCK_STORE_MS;
    if (waitedMs >= limitMs || storeDown) {
      const because = fault === '' ? 'the store gave no error' : fault;
      const text = `Nothing succeeded for ${formatDuration(quietMs(now))} while ${waitingText(now)}: ${because}.`;
      return { verdict: 'stuck', why: text };
    }
    if (now.lastWalkAtMs !== undefined || now.lastSuccessAtMs !== undefined) {
      const although = fault === '' ? '' : `, although ${fault}`;
      return { verdict: 'flowing', why: `Files are moving: ${waitingText(now)}${although}.` };
    }
  }
  if (now.lastWalkAtMs === undefined) {
    return { verdict: 'starting', why: 'The first walk over the source has not ended yet.' };
  }
  if (now.settling > 0 && quietMs(now) >= 60_000) {
    return {
      verdict: 'settling',
      why: `${count(now.settling, 'file')} may still be written to; nothing else waits.`,
    };
  }
  const arrivedMs = now.lastArrivalAtMs === undefined ? undefined : now.atMs - now.lastArrivalAtMs;
  if (now.settling > 0 || (arrivedMs !== undefined && arrivedMs < IDLE_AFTER_MS)) {
    return {
      verdict: 'flowing',
      why: 'Everything that arrived is proved or settling.',
    };
  }
  const since =
    arrivedMs === undefined
      ? `nothing has arrived since the start ${formatDuration(now.atMs - now.startedAtMs)} ago`
      : `the last file arrived ${formatDuration(arrivedMs)} ago`;
  return { verdict: 'idle', why: `The writer is idle: nothing waits, and ${since}.` };
}

/** How long nothing succeeded; from the start when nothing ever did. */
function quietMs(now: FilesSnapshot): number {
  return Math.max(0, now.atMs - (now.lastSuccessAtMs ?? now.startedAtMs));
}

function waitingText(now: FilesSnapshot): string {
  const parts: string[] = [];
  const waiting = (files: number, what: string): string =>
    `${count(files, 'file')} ${files === 1 ? 'waits' : 'wait'} to be ${what}`;
  if (now.backlog.files > 0) parts.push(waiting(now.backlog.files, 'sent'));
  if (now.unproved.files > 0) parts.push(waiting(now.unproved.files, 'proved'));
  if (parts.length === 0) parts.push(waiting(sum(now.failing), 'tried again'));
  return parts.join(' and ');
}

/** The store's fault and the reasons files fail for, as the end of a sentence; '' when all is well. */
function faultOf(now: FilesSnapshot): string {
  const parts: string[] = [];
  if (now.store?.ok === false) {
    parts.push(now.store.message?.replace(/\.$/, '') ?? 'the store fails');
  }
  const reasons = reasonsClause(now.failing);
  if (reasons !== '') parts.push(reasons);
  return parts.join('; ');
}

function reasonsText(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .filter(([, times]) => times > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, times]) => `${reason} ${times}`)
    .join(', ');
}

/**
 * The line for the interval between two snapshots; without an earlier one, since the start. Rates are per second over
 * that interval; in the fields, totals are since the start of the process and what is unknown is left out.
 */
export function summaryLine(
  now: FilesSnapshot,
  before: FilesSnapshot | undefined,
): { message: string; fields: Record<string, unknown> } {
  const intervalMs = Math.max(1, now.atMs - (before?.atMs ?? now.startedAtMs));
  const moved = (name: 'seen' | 'sent' | 'deduplicated' | 'proved' | 'freed' | 'freedEarly'): Tally => ({
    files: now.total[name].files - (before?.total[name].files ?? 0),
    bytes: now.total[name].bytes - (before?.total[name].bytes ?? 0),
  });
  const perSecond = (amount: number) => Math.round((amount / intervalMs) * 1e5) / 100;
  const failed = difference(now.total.failures, before?.total.failures);
  const { verdict: name, why } = verdict(now);
  const seen = moved('seen');
  const sent = moved('sent');
  const successAgoMs = now.lastSuccessAtMs === undefined ? undefined : now.atMs - now.lastSuccessAtMs;

  const sentences = [
    `${name}: in ${formatDuration(intervalMs)} seen ${tallyText(seen)}, sent ${tallyText(sent)}` +
      `, deduplicated ${moved('deduplicated').files}, proved ${moved('proved').files}, freed ${moved('freed').files}` +
      `${moved('freedEarly').files > 0 ? ` (${moved('freedEarly').files} early)` : ''}` +
      `, failed ${failed.size === 0 ? 0 : `${sum(failed)} (${reasonsText(failed)})`}`,
    `${perSecond(sent.files)} files/s, ${formatBytes(Math.round(perSecond(sent.bytes)))}/s`,
    `backlog ${tallyText(now.backlog)}, unproved ${now.unproved.files}, settling ${now.settling}` +
      (now.oldestUnprovedAgeMs === undefined ? '' : `, oldest ${formatDuration(now.oldestUnprovedAgeMs)}`),
    ...(now.disk ? [diskText(now.disk)] : []),
    successAgoMs === undefined ? 'no success yet' : `last success ${formatDuration(successAgoMs)} ago`,
  ];
  const message = `${sentences.join('; ')}.${name === 'stuck' ? ` ${why}` : ''}`;
  const totals = (key: 'seen' | 'sent' | 'deduplicated' | 'proved' | 'freed' | 'freedEarly') => ({
    [`${key}Files`]: now.total[key].files,
    [`${key}Bytes`]: now.total[key].bytes,
  });
  return {
    message,
    fields: known({
      verdict: name,
      why,
      intervalSeconds: intervalMs / 1_000,
      ...totals('seen'),
      ...totals('sent'),
      ...totals('deduplicated'),
      ...totals('proved'),
      ...totals('freed'),
      ...totals('freedEarly'),
      conflicts: now.total.conflicts,
      vanishedObjects: now.total.vanishedObjects,
      failures: Object.fromEntries(now.total.failures),
      failing: Object.fromEntries(now.failing),
      seenFilesPerSecond: perSecond(seen.files),
      sentFilesPerSecond: perSecond(sent.files),
      sentBytesPerSecond: perSecond(sent.bytes),
      provedFilesPerSecond: perSecond(moved('proved').files),
      backlogFiles: now.backlog.files,
      backlogBytes: now.backlog.bytes,
      settlingFiles: now.settling,
      unprovedFiles: now.unproved.files,
      retainedFiles: now.retained.files,
      retainedBytes: now.retained.bytes,
      inFlight: now.inFlight,
      oldestUnprovedAgeSeconds: inSeconds(now.oldestUnprovedAgeMs),
      secondsSinceSuccess: inSeconds(successAgoMs),
      diskUsedBytes: now.disk?.usedBytes,
      diskLimitBytes: now.disk?.limitBytes,
      diskUsedInodes: now.disk?.usedInodes,
      diskLimitInodes: now.disk?.limitInodes,
      diskLevel: now.disk?.level,
      diskFullInSeconds: inSeconds(now.disk?.fullInMs),
    }),
  };
}

/** A disk as a clause: what is used of it, and the time until it is full. */
export function diskText(disk: NonNullable<FilesSnapshot['disk']>): string {
  const bytes = `disk ${formatBytes(disk.usedBytes)} of ${formatBytes(disk.limitBytes)}`;
  const inodes =
    disk.usedInodes / disk.limitInodes > disk.usedBytes / disk.limitBytes
      ? `, inodes ${disk.usedInodes} of ${disk.limitInodes}`
      : '';
  const full = disk.fullInMs === undefined ? 'not filling' : `full in ${formatDuration(disk.fullInMs)}`;
  return `${bytes}${inodes}${disk.level === 'ok' ? '' : ` (${disk.level})`}, ${full}`;
}

function difference(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number> | undefined) {
  const grown = new Map<string, number>();
  for (const [reason, times] of now) {
    const more = times - (before?.get(reason) ?? 0);
    if (more > 0) grown.set(reason, more);
  }
  return grown;
}

function known(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== Infinity),
  );
}

const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms / 100) / 10);
const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((all, one) => all + one, 0);
const count = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`;
const tallyText = (tally: Tally) => `${count(tally.files, 'file')} (${formatBytes(tally.bytes)})`;
