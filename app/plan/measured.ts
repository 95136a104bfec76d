// What the plan takes from measurements and from other people's documents: each constant with its unit and source.

export const KIB = 1_024;
export const MIB = 2 ** 20;
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** A month of the plan: what a bill's month is about. */
export const MONTH_DAYS = 30;

/**
 * From a file's last write until it is settled (5 s), seen by a walk, sent, proved by a listing (every 60 s) and, with
 * its retention over, freed: the defaults of `ferry files` with room for a slow listing.
 */
export const PROVE_LAG_MS = 120_000;

/**
 * A walk costs 5 s of CPU per million files (opendir, lstat and asking what is known, measured), and a patrol takes 1 % of
 * a core (--walk-cpu-share): among a million files a new one is met after up to eight minutes where the kernel does not
 * tell of it.
 */
export const WALK_CPU_S_PER_FILE = 5e-6;
export const PATROL_CPU_SHARE = 0.01;

/** Bytes of an ext4 directory entry beside the name, and how full its blocks are kept. Directories never shrink. */
export const DIRECTORY_ENTRY_BYTES = 8;
export const DIRECTORY_FILL = 0.6;
/** Directories themselves: with one a minute for a day, 1,440. */
export const DIRECTORY_INODES = 1_500;
/** Of an ext4 volume of its own: inode tables 1.6 %, journal, and 5 % kept for root. */
export const FILE_SYSTEM_USABLE = 0.92;

/**
 * The uploader's memory of one file, measured with app/files/ledger/ledger.ts (SQLite 3, 100,000 and 200,000 files met in
 * random order, the bucket compared anew): 336, 484, 611 and 1,020 bytes for paths of 17, 40, 59 and 120 bytes; in order
 * of time and without the comparison 270, 336 and 425 bytes for paths of 17, 40 and 59. The line lies above them all.
 */
export const stateRowBytes = (pathBytes: number): number => 240 + 7 * pathBytes;
/** The same in a ledger that was damaged and is kept beside the new one: without the comparison. */
export const damagedRowBytes = (pathBytes: number): number => 220 + 4 * pathBytes;
/** Measured: the write-ahead log stays below 8.3 MiB; the reserve for a full disk is 2 MiB. */
export const STATE_FIXED_BYTES = 16 * MIB;
/**
 * Receipts on their way to the bucket at most: a part of 8 MiB that is open, one that is being compressed and what
 * that gives, and 96 MiB that wait while the bucket takes none (app/files/receipts/spool.ts).
 */
export const RECEIPTS_STATE_BYTES = 128 * MIB;

/**
 * The bundle at work: measured 40 to 54 MiB of anonymous memory (docs/benchmark.md, cases steady, freeing, million and
 * tls). The rest is for the pages of the program itself that are in use.
 */
export const MEMORY_AT_WORK_BYTES = 80 * MIB;
/**
 * Resident memory in a burst, file pages included: measured 93 to 105 MiB at its peak, over TLS 110 with earlier flags
 * (docs/benchmark.md, cases freeing, million, million-both and tls). The rest is a margin.
 */
export const MEMORY_AFTER_BURST_BYTES = 128 * MIB;
/**
 * What known files take beside a burst's memory. The table of known files takes 9 to 11 bytes each, up to 4.75 MiB
 * (app/files/ledger/known.ts); a million took 5 MiB more than 50,000, one after the other with the same flags. What is
 * counted is more, a margin.
 */
export const KNOWN_FILE_BYTES = 13;
export const KNOWN_MAX_BYTES = 12 * MIB;

/** Larger files go in parts of this size, each held in memory while it is sent (README, multipart). */
export const PART_BYTES = 8 * MIB;
/** What an upload holds of a smaller file (app/files/send.ts). */
export const READ_BUFFER_BYTES = 64 * KIB;

/**
 * CPU of a whole move of a 1 KB file, hash, PUT and proof: measured 0.10 to 0.11 ms, 0.12 over TLS, 0.19 when it is freed
 * too (docs/benchmark.md, cases cold-1k, million, tls and freeing). The rest is for a slower core. Against a real server
 * on the same two cores, at 351 files a second, it was 0.71 ms (case real): the least limit below holds that too.
 */
export const CPU_MS_PER_FILE = 0.4;
/** CPU of reading, SHA-256 and TLS of 1 MiB. Measured without TLS: 1.6 ms (docs/benchmark.md, case large-file). */
export const CPU_MS_PER_MIB = 8;
/**
 * Walking takes at most 1 % of a core (--walk-cpu-share); log, metrics and listings are below 1 %; the rest is for
 * passes over a backlog, which take what they need.
 */
export const CPU_IDLE_MILLICORES = 60;
/** A start and a listing page must not crawl: less than half a core makes probes slow. */
export const CPU_LIMIT_MIN_MILLICORES = 500;

/**
 * What travels beside the content of a PUT: 647 bytes of request line and headers (measured on the wire), a session
 * token of about 1,000 to 1,200 bytes (web identity), TLS and TCP framing.
 */
export const PUT_OVERHEAD_BYTES = 2_048;

/** A listing page holds at most 1,000 objects; passes over young partitions fill half of it. */
export const OBJECTS_PER_LIST = 500;
/** One proving pass a minute while anything is unproved (--prove-every). */
export const PROVING_PASSES_PER_DAY = 1_440;

/** How soon a start's burst should be in the bucket. */
export const BURST_WITHIN_S = 60;
/** What is asked of the network beyond the largest need. */
export const BANDWIDTH_MARGIN = 1.25;

/** `ferry files --drain` by default. */
export const DRAIN_MIN_S = 25;
/** At a stop: files wait to settle (5 s), and the last listing and the ledger take their time (5 s). */
export const DRAIN_FIXED_S = 10;
/** Files of the last seconds before a stop that are not sent yet: settle, walk and a slow upload. */
export const DRAIN_YOUNG_S = 30;
/** The drain's own walk may use the least CPU limit there is; `ferry files` gives it half of the drain. */
export const DRAIN_WALK_CORES = 0.5;
/** Between the drain's end and the kill. */
export const GRACE_MARGIN_S = 5;

/** The kubelet keeps 5 log files of 10 MiB a container; the rest is for a writable layer that is hardly used. */
export const CONTAINER_SLACK_BYTES = 64 * MIB;

/** What the kernel keeps of a tmpfs file beside its pages, charged as memory too: inode and name, below 1 KiB. */
export const TMPFS_FILE_BYTES = 1_024;

/** Files that one object of a packed upload would hold. */
export const FILES_PER_PACK = 1_000;
