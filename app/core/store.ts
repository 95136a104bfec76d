// The store port: what every mover may ask of the place data goes to. There is no delete and no overwrite in it.

/** One object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. The content's MD5 in hex for single PUTs unless `etagIsMd5` is false; `<md5 of part md5s>-<n>` for multipart. */
  readonly etag: string;
}

/** A page of a listing: keys strictly ascending in UTF-8 byte order, each after `after` and starting with the prefix. */
export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** False only when the server said that nothing follows. */
  readonly more: boolean;
  /** Where the answer was first not as such answers are, when it could be read all the same: people should know of it. */
  readonly odd?: string;
}

/** What a put found out. `exists` says nothing about content: compare. */
export type PutResult =
  | { readonly outcome: 'created'; readonly etag: string }
  | { readonly outcome: 'exists' };

/** A part of an unfinished multipart upload that the server has acknowledged. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Where an unfinished multipart upload stands; kept by the caller so that a kill does not start a 100 GB file anew. */
export interface UploadState {
  readonly uploadId: string;
  readonly parts: readonly UploadedPart[];
}

/** Parts of one large file on their way at once: while they are sent, the next is read and hashed. */
export const PARTS_IN_FLIGHT = 3;
const PARTS_IN_FLIGHT_BYTES = 32 * 2 ** 20;

/** The same for a file of this size: fewer where parts are big, so that memory does not grow with the file. */
export function partsInFlight(sizeBytes: number): number {
  const partBytes = partSizeBytes(sizeBytes);
  const fitting = Math.max(1, Math.floor(PARTS_IN_FLIGHT_BYTES / partBytes));
  return Math.min(PARTS_IN_FLIGHT, fitting, Math.max(1, Math.ceil(sizeBytes / partBytes)));
}

/**
 * A large file, read in order, part by part. `read` answers exactly the asked number of bytes or throws; they stay as
 * they are until `partsInFlight` reads later.
 */
export interface LargeSource {
  readonly sizeBytes: number;
  read(offset: number, lengthBytes: number): Buffer;
  /** Called after each acknowledged part. */
  progress(state: UploadState): void;
  /** Called once, after the last byte was read and before the object is made visible; throws to abandon the upload. */
  beforeCommit(): void;
}

/**
 * The port. Every method rejects with a StoreError; none retries (see retry.ts).
 * Held by one contract test: test/core/store-contract.ts.
 */
export interface Store {
  /** For people and logs, e.g. `s3://bucket/prefix`; never holds a secret. */
  readonly label: string;
  /** Whether a single PUT's ETag is the MD5 of the content: false once the server has shown otherwise (SSE-KMS). */
  readonly etagIsMd5: boolean;
  /** Whether `head` may be called: a write-only role may not. */
  readonly mayRead: boolean;
  /**
   * Makes the object if the key is free. The server verifies `sha256Hex` over the whole body before the object is visible.
   * A key that is taken answers `exists` and changes nothing. The body must not change until the promise settles.
   */
  put(key: string, body: Buffer, sha256Hex: string, signal?: AbortSignal): Promise<PutResult>;
  /** The same for a large file: parts, each verified, then one conditional commit. `resume` continues an earlier try. */
  putLarge(key: string, source: LargeSource, resume?: UploadState, signal?: AbortSignal): Promise<PutResult>;
  /** Up to 1,000 objects after the key `after` (exclusive; '' from the start) below `prefix`. */
  list(prefix: string, after: string, signal?: AbortSignal): Promise<ListPage>;
  /** One object's size, ETag and, where the store keeps it, the SHA-256 of its whole content; undefined when there is none. */
  head(key: string, signal?: AbortSignal): Promise<(StoredObject & { sha256Hex?: string }) | undefined>;
  /** The object's bytes. Only for people and tests: moving never reads. */
  get(key: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/** Above this size a file goes up in parts. */
export const SINGLE_PUT_MAX_BYTES = 8 * 2 ** 20;

/**
 * The part size for a file of this size: a function of the size alone, so that the multipart ETag can be computed
 * again from the local file. 8 MiB, doubled until 10,000 parts (S3's limit) are enough.
 */
export function partSizeBytes(sizeBytes: number): number {
  let part = SINGLE_PUT_MAX_BYTES;
  while (Math.ceil(sizeBytes / part) > 10_000) part *= 2;
  return part;
}

/** Compares two keys as S3 orders them: by UTF-8 bytes. JavaScript's own order differs above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) {
      // A surrogate stands for a code point above U+FFFF, which UTF-8 sorts after every other unit.
      const leftHigh = left >= 0xd800 && left <= 0xdfff;
      const rightHigh = right >= 0xd800 && right <= 0xdfff;
      if (leftHigh !== rightHigh) return leftHigh ? 1 : -1;
      return left - right;
    }
  }
  return a.length - b.length;
}
