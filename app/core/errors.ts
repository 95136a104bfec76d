// What can go wrong, in words a stranger can act on, and the closed set of exit codes.

/** Every way `ferry` can end. Documented in the README; a test keeps both equal. */
export const EXIT = {
  ok: 0,
  /** A defect in Ferry itself. */
  internal: 1,
  /** The command line, environment or settings file is wrong; nothing was done. */
  config: 2,
  /** The source directory cannot be used. */
  source: 3,
  /** The store refuses (no such bucket, denied, wrong region) or cannot be reached. */
  store: 4,
  /** The run ended, but some files were left behind; each is named with its reason. */
  incomplete: 5,
  /** `ferry doctor` found something that must be mended first. */
  unhealthy: 6,
  /** Something did not answer or was stopped; the same command again may succeed and goes on where it ended. */
  transient: 7,
  /** What was asked for was refused, or answered as nobody expects: trying again does not help. */
  data: 8,
  /** Stopped at once by a second signal. */
  interrupted: 130,
} as const;

export type ExitName = keyof typeof EXIT;

/** An error the user can mend: one sentence of what and where, one of what to do. Never shown with a stack. */
export class FerryError extends Error {
  override readonly name = 'FerryError';
  readonly exit: ExitName;
  readonly remedy: string;
  constructor(exit: ExitName, what: string, remedy: string, options?: { cause?: unknown }) {
    super(what, options);
    this.exit = exit;
    this.remedy = remedy;
  }
}

/**
 * Why a store did not do what was asked.
 * - `denied`, `no-bucket`, `wrong-region`, `expired`, `skew`, `bad-request` do not mend themselves by a retry of this call;
 * - `throttled`, `unavailable`, `network`, `timeout`, `conflict` (409) do;
 * - `no-space` is the folder store's full disk; `corrupt` is a checksum the server found wrong;
 * - `bad-listing` is an answer that breaks the listing's promises: it means *unknown*, never *absent*.
 */
export type StoreFault =
  | 'denied'
  | 'no-bucket'
  | 'wrong-region'
  | 'expired'
  | 'skew'
  | 'bad-request'
  | 'throttled'
  | 'unavailable'
  | 'network'
  | 'timeout'
  | 'conflict'
  | 'no-space'
  | 'corrupt'
  | 'bad-listing'
  | 'aborted';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly fault: StoreFault;
  /** The server's own code, e.g. `SlowDown`; empty when there was no answer. */
  readonly code: string;
  /** From a Retry-After header, milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(
    fault: StoreFault,
    message: string,
    options: { code?: string; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.code = options.code ?? '';
    this.retryAfterMs = options.retryAfterMs;
  }
}

const TRANSIENT: ReadonlySet<StoreFault> = new Set([
  'throttled',
  'unavailable',
  'network',
  'timeout',
  'conflict',
  'corrupt',
]);

/** Whether the same call may succeed if made again. */
export function isTransient(error: unknown): error is StoreError {
  return error instanceof StoreError && TRANSIENT.has(error.fault);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A Node system error's code (`ENOENT`, `EACCES`, …), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
