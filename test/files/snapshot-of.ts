// A snapshot of a mover that has done nothing, changed only where a test says so.
import type { FilesSnapshot } from '../../app/files/snapshot.ts';

const NONE = { files: 0, bytes: 0 };

/** `total` may be given in part; `startedAtMs` is an hour before `atMs` unless given. */
export function snapshotOf(
  over: Partial<Omit<FilesSnapshot, 'total'>> & { atMs: number; total?: Partial<FilesSnapshot['total']> },
): FilesSnapshot {
  const { total, ...rest } = over;
  return {
    startedAtMs: over.atMs - 3_600_000,
    total: {
      seen: NONE,
      sent: NONE,
      deduplicated: NONE,
      proved: NONE,
      freed: NONE,
      freedEarly: NONE,
      conflicts: 0,
      vanishedObjects: 0,
      failures: new Map(),
      walks: 0,
      listings: 0,
      listingFallbacks: 0,
      listingFailures: 0,
      receiptObjects: 0,
      receiptLinesLost: 0,
      ...total,
    },
    backlog: NONE,
    settling: 0,
    unproved: NONE,
    retained: NONE,
    failing: new Map(),
    skipped: new Map(),
    oldestUnprovedAgeMs: undefined,
    lastSuccessAtMs: undefined,
    lastWalkAtMs: undefined,
    lastArrivalAtMs: undefined,
    store: undefined,
    disk: undefined,
    inFlight: 0,
    draining: false,
    ...rest,
  };
}
