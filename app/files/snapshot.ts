// What the files mover knows about itself at one instant: the one source of the summary line, the metrics, the live
// status and the health checks.
import type { DiskReading } from '../core/disk.ts';

/** A number of files and their bytes (content, not blocks). */
export interface Tally {
  readonly files: number;
  readonly bytes: number;
}

export interface FilesSnapshot {
  readonly atMs: number;
  readonly startedAtMs: number;
  /** Since the start of this process, only growing. */
  readonly total: {
    /** Files found that earlier runs had not proved. */
    readonly seen: Tally;
    readonly sent: Tally;
    /** Found in the store with the same content: not sent. */
    readonly deduplicated: Tally;
    readonly proved: Tally;
    readonly freed: Tally;
    /** Freed before the retention because the disk was near its limit. */
    readonly freedEarly: Tally;
    /** The key was taken by other content; sent under a new key. */
    readonly conflicts: number;
    /** Objects acknowledged earlier that a complete listing did not show; sent again. */
    readonly vanishedObjects: number;
    /** Failed attempts by reason. */
    readonly failures: ReadonlyMap<string, number>;
    readonly walks: number;
    readonly listings: number;
    /** Pages of listings that only an XML parser could read. */
    readonly listingFallbacks: number;
    readonly listingFailures: number;
    /** Objects of receipts written, and lines that could not be kept for one. */
    readonly receiptObjects: number;
    readonly receiptLinesLost: number;
  };
  /** Complete files waiting to be sent, those in flight included. */
  readonly backlog: Tally;
  /** Files that may still be written to. */
  readonly settling: number;
  /** Sent, not yet proved. */
  readonly unproved: Tally;
  /** Proved and kept for the retention. */
  readonly retained: Tally;
  /** Files whose last attempt failed and that back off, by reason. */
  readonly failing: ReadonlyMap<string, number>;
  /** Entries never opened, by kind: `symlink`, `fifo`, `socket`, `device`, `unreadable-directory`. Of the last walk. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Age of the oldest file that is not proved (settling, waiting, failing or sent); undefined when there is none. */
  readonly oldestUnprovedAgeMs: number | undefined;
  /** Last time a file was sent, deduplicated or proved; undefined before the first. */
  readonly lastSuccessAtMs: number | undefined;
  /** Last time a walk ended. */
  readonly lastWalkAtMs: number | undefined;
  /** Last time anything new was seen in the source; an idle writer has an old one and no backlog. */
  readonly lastArrivalAtMs: number | undefined;
  /** What the store last answered: undefined before the first call. */
  readonly store:
    | { readonly ok: boolean; readonly fault?: string; readonly message?: string; readonly sinceMs: number }
    | undefined;
  readonly disk: DiskReading | undefined;
  /** With a spill volume: what this process moved there, and what waits there to be sent and proved. */
  readonly spill?: { readonly moved: Tally; readonly waiting: Tally } | undefined;
  readonly inFlight: number;
  readonly draining: boolean;
}
