// The table of the files mover's metrics: each with its name, what it tells a stranger, and how the snapshot answers it.
import type { DiskReading } from '../core/disk.ts';
import type { StoreFault } from '../core/errors.ts';
import { processMetrics, series, type Metric as TableMetric } from '../core/metrics.ts';
import type { ReadFault } from './read.ts';
import type { FilesSnapshot } from './snapshot.ts';

type Metric = TableMetric<FilesSnapshot>;

/** Series of these reasons exist at 0 before the first failure; other reasons appear when they happen. */
const REASONS: Readonly<
  Record<StoreFault | ReadFault | 'internal' | 'cannot-delete' | 'object-vanished' | 'ledger', 0>
> = {
  vanished: 0,
  changed: 0,
  unreadable: 0,
  busy: 0,
  'io-error': 0,
  internal: 0,
  'cannot-delete': 0,
  'object-vanished': 0,
  ledger: 0,
  denied: 0,
  'no-bucket': 0,
  'wrong-region': 0,
  expired: 0,
  skew: 0,
  'bad-request': 0,
  throttled: 0,
  unavailable: 0,
  network: 0,
  timeout: 0,
  conflict: 0,
  'no-space': 0,
  corrupt: 0,
  'bad-listing': 0,
  aborted: 0,
};
const SKIPPED_KINDS = {
  excluded: 0,
  symlink: 0,
  fifo: 0,
  socket: 0,
  device: 0,
  'unreadable-directory': 0,
} as const;
const LEVELS: Record<DiskReading['level'], number> = { ok: 0, high: 1, critical: 2 };

function counter(name: string, help: string, read: Metric['read'], label?: string): Metric {
  return { name: `ferry_files_${name}`, type: 'counter', help, read, ...(label ? { label } : {}) };
}

function gauge(name: string, help: string, read: Metric['read'], label?: string): Metric {
  return { name: `ferry_files_${name}`, type: 'gauge', help, read, ...(label ? { label } : {}) };
}

/** A timestamp that has not come yet is 0, so that "too long ago" also holds for "never". */
const seconds = (ms: number | undefined): number => (ms ?? 0) / 1_000;

const TALLIES: readonly [keyof FilesSnapshot['total'] & string, string, string][] = [
  ['seen', 'seen', 'found in the source that earlier runs had not proved to be in the store'],
  ['sent', 'sent', 'sent to the store and acknowledged by it'],
  ['deduplicated', 'deduplicated', 'found in the store with the same content, so not sent again'],
  ['proved', 'proved', 'proved to be in the store with the same content; only these may be deleted locally'],
  ['freed', 'freed', 'deleted locally after they were proved, those freed early included'],
  [
    'freedEarly',
    'freed_early',
    'deleted locally before their retention ended because the disk was near its limit',
  ],
];

export const METRICS: readonly Metric[] = [
  ...TALLIES.flatMap(([field, name, what]): Metric[] => {
    const tally = (snapshot: FilesSnapshot) => snapshot.total[field] as { files: number; bytes: number };
    return [
      counter(`${name}_total`, `Files ${what}.`, (s) => tally(s).files),
      counter(`${name}_bytes_total`, `Content bytes of files ${what}.`, (s) => tally(s).bytes),
    ];
  }),
  counter(
    'conflicts_total',
    'Files whose key was taken by other content in the store; each was sent under a new key, nothing was overwritten.',
    (s) => s.total.conflicts,
  ),
  counter(
    'vanished_objects_total',
    'Objects the store had acknowledged and a complete listing did not show; each was sent again. Should stay 0.',
    (s) => s.total.vanishedObjects,
  ),
  counter(
    'failures_total',
    'Failed attempts to move a file, by reason. A file is tried again; failing_files shows what fails now.',
    (s) => series('reason', REASONS, s.total.failures),
    'reason',
  ),
  counter('walks_total', 'Complete walks over the source directory.', (s) => s.total.walks),
  counter('listings_total', 'Listing pages the store answered.', (s) => s.total.listings),
  counter(
    'listing_fallbacks_total',
    'Listing pages that the scan of their text did not understand and an XML parser read: right, but slower. Should stay 0.',
    (s) => s.total.listingFallbacks,
  ),
  counter(
    'listing_failures_total',
    'Listings that failed or stopped early; they prove nothing and free nothing.',
    (s) => s.total.listingFailures,
  ),
  counter(
    'receipt_objects_total',
    'Objects of receipts written to the store.',
    (s) => s.total.receiptObjects,
  ),
  counter(
    'receipt_lines_lost_total',
    'Lines of receipts that could not be kept because the state directory could not be written. The files moved all the same.',
    (s) => s.total.receiptLinesLost,
  ),
  gauge(
    'backlog_files',
    'Complete files that wait to be sent, those in flight included.',
    (s) => s.backlog.files,
  ),
  gauge('backlog_bytes', 'Content bytes of the files that wait to be sent.', (s) => s.backlog.bytes),
  gauge('in_flight', 'Files that are being sent at this moment.', (s) => s.inFlight),
  gauge(
    'settling_files',
    'Files that may still be written to and are left alone until they stand still.',
    (s) => s.settling,
  ),
  gauge('unproved_files', 'Files sent and not yet proved to be in the store.', (s) => s.unproved.files),
  gauge('unproved_bytes', 'Content bytes of files sent and not yet proved.', (s) => s.unproved.bytes),
  gauge(
    'retained_files',
    'Files proved and kept locally until their retention ends.',
    (s) => s.retained.files,
  ),
  gauge('retained_bytes', 'Content bytes of files proved and kept locally.', (s) => s.retained.bytes),
  gauge(
    'failing_files',
    'Files whose last attempt failed and that wait for the next one, by reason.',
    (s) => series('reason', REASONS, s.failing),
    'reason',
  ),
  gauge(
    'skipped_entries',
    'Directory entries that are never opened, by kind, as the last walk saw them.',
    (s) => series('kind', SKIPPED_KINDS, s.skipped),
    'kind',
  ),
  gauge(
    'oldest_unproved_age_seconds',
    'Age of the oldest local file that is not yet proved to be in the store; 0 when there is none.',
    (s) => seconds(s.oldestUnprovedAgeMs),
  ),
  gauge(
    'last_success_timestamp_seconds',
    'Unix time when a file was last sent, deduplicated or proved; 0 before the first.',
    (s) => seconds(s.lastSuccessAtMs),
  ),
  gauge(
    'last_walk_timestamp_seconds',
    'Unix time when a walk over the source last ended; 0 before the first.',
    (s) => seconds(s.lastWalkAtMs),
  ),
  gauge(
    'last_arrival_timestamp_seconds',
    'Unix time when anything new was last seen in the source; 0 before the first. Old with no backlog: the writer is idle.',
    (s) => seconds(s.lastArrivalAtMs),
  ),
  gauge(
    'disk_used_bytes',
    'Disk space used on the volume: allocated blocks, not file sizes. Absent before the first look.',
    (s) => s.disk?.usedBytes,
  ),
  gauge(
    'disk_limit_bytes',
    'Disk space the volume may use. Absent before the first look.',
    (s) => s.disk?.limitBytes,
  ),
  gauge(
    'disk_used_inodes',
    'Files and directories on the volume. Absent before the first look.',
    (s) => s.disk?.usedInodes,
  ),
  gauge(
    'disk_limit_inodes',
    'Files and directories the volume can hold; +Inf where the file system sets no limit.',
    (s) => s.disk?.limitInodes,
  ),
  gauge(
    'disk_growth_bytes_per_second',
    'Growth of the used disk space, averaged over about 5 minutes; negative when it shrinks.',
    (s) => s.disk?.growthBytesPerSecond,
  ),
  gauge(
    'disk_full_seconds',
    'Seconds until bytes or inodes run out at their present growth; +Inf when the volume does not fill.',
    (s) => (s.disk === undefined ? undefined : (s.disk.fullInMs ?? Infinity) / 1_000),
  ),
  counter(
    'spilled_total',
    'Files moved to the spill volume because the disk was critical and nothing proved was left to free.',
    (s) => s.spill?.moved.files,
  ),
  gauge(
    'spill_waiting_files',
    'Files on the spill volume that are not yet proved to be in the store.',
    (s) => s.spill?.waiting.files,
  ),
  gauge(
    'spill_waiting_bytes',
    'Content bytes of the files on the spill volume.',
    (s) => s.spill?.waiting.bytes,
  ),
  gauge(
    'disk_level',
    '0: ok. 1: high, proved files are deleted before their retention ends. 2: critical, the volume is about to be full.',
    (s) => (s.disk === undefined ? undefined : LEVELS[s.disk.level]),
  ),
  gauge(
    'store_up',
    '1 when the last call to the store succeeded, 0 when it failed. Absent before the first call.',
    (s) => (s.store === undefined ? undefined : Number(s.store.ok)),
  ),
  gauge(
    'store_fault',
    'Why the last call to the store failed: 1 for that reason, 0 for the others and while it succeeds.',
    (s) =>
      series('reason', REASONS, new Map(s.store?.ok === false ? [[s.store.fault ?? 'internal', 1]] : [])),
    'reason',
  ),
  gauge('draining', '1 while Ferry is stopping and finishes what is in flight.', (s) => Number(s.draining)),
  ...processMetrics<FilesSnapshot>(),
];
