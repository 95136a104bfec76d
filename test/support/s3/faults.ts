// Faults on order: a test says when, how often and what goes wrong; the server looks here before it serves a request.

export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'HeadBucket'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
  | 'Unknown';

export interface S3Request {
  /** Counts from 1 over the life of the server. */
  readonly number: number;
  readonly method: string;
  readonly op: S3Operation;
  readonly bucket: string;
  /** Decoded; empty for operations on the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** How a listing lies, or is odd. All but `malformed` are well-formed XML under status 200. */
export type ListingLie =
  /** Half of the page, and `IsTruncated` says that nothing follows. */
  | 'truncated'
  /** The page's keys in reverse. */
  | 'unordered'
  /** No keys, nothing follows. */
  | 'empty'
  /** Every key twice. */
  | 'repeated'
  /** `start-after` and the continuation token are ignored: the first page again. */
  | 'from-the-start'
  /** One more key, outside the prefix. */
  | 'stray'
  /** Says that more follows, but gives neither keys nor a token. */
  | 'endless'
  /** The XML ends in the middle. */
  | 'malformed'
  /** True, in a form that only an XML parser reads. */
  | 'odd';

/** Lets a test hold a request: `await gate.arrived`, look around, `gate.release()`. */
export interface Gate {
  /** Resolves when the first request has come to the gate. */
  readonly arrived: Promise<void>;
  /** How many requests have come to it. */
  readonly count: () => number;
  release(): void;
  /** For the server. */
  pass(): Promise<void>;
}

export type FaultAction =
  /** Answered instead of serving; nothing is stored. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code: string;
      readonly retryAfterSeconds?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is reset before the body is read. */
  | { readonly kind: 'reset' }
  /** The connection is reset once this many bytes (1 unless told) of the body were read; nothing is stored. */
  | { readonly kind: 'reset-mid-body'; readonly afterBytes?: number }
  /** Served, but the connection breaks in the middle of the reply. */
  | { readonly kind: 'half-reply' }
  /** Served, but the connection breaks before the reply. */
  | { readonly kind: 'lost-answer' }
  /** Held until the gate is released: before it is served, or after it was served and before the reply. */
  | { readonly kind: 'hold'; readonly gate: Gate; readonly at: 'before' | 'after' }
  | { readonly kind: 'listing'; readonly lie: ListingLie };

export interface Fault {
  readonly when: (request: S3Request) => boolean;
  /** How many requests it hits; without it, all until removed. */
  readonly times?: number;
  readonly do: FaultAction;
}

export interface FaultHandle {
  /** Requests hit so far. */
  readonly hits: () => number;
  remove(): void;
}

export interface Faults {
  add(fault: Fault): FaultHandle;
  clear(): void;
}

export function createFaults(): Faults & { match(request: S3Request): FaultAction | undefined } {
  let armed: { fault: Fault; hits: number }[] = [];
  return {
    add(fault) {
      const entry = { fault, hits: 0 };
      armed.push(entry);
      return {
        hits: () => entry.hits,
        remove: () => {
          armed = armed.filter((other) => other !== entry);
        },
      };
    },
    clear() {
      armed = [];
    },
    match(request) {
      for (const entry of armed) {
        if (entry.hits < (entry.fault.times ?? Number.POSITIVE_INFINITY) && entry.fault.when(request)) {
          entry.hits += 1;
          return entry.fault.do;
        }
      }
      return undefined;
    },
  };
}

export function createGate(): Gate {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let count = 0;
  return {
    arrived: arrived.promise,
    count: () => count,
    release: released.resolve,
    pass() {
      count += 1;
      arrived.resolve();
      return released.promise;
    },
  };
}

/** S3's own answers to being asked too much or too early. */
export const SLOW_DOWN: FaultAction = { kind: 'status', status: 503, code: 'SlowDown' };
export const INTERNAL_ERROR: FaultAction = { kind: 'status', status: 500, code: 'InternalError' };
export const CONFLICT: FaultAction = { kind: 'status', status: 409, code: 'ConditionalRequestConflict' };
export const DENIED: FaultAction = { kind: 'status', status: 403, code: 'AccessDenied' };
