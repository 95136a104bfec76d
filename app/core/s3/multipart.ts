// A large file in parts: each part verified by the server, a few in memory, one conditional commit, resumable.
import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { StoreError } from '../errors.ts';
import {
  type LargeSource,
  type PutResult,
  partSizeBytes,
  partsInFlight,
  type UploadedPart,
  type UploadState,
} from '../store.ts';
import { type Call, type Caller, throwIfStopped } from './call.ts';
import type { Answer } from './http.ts';
import { base64OfHex, etagOf, hidesMd5 } from './put.ts';
import { EMPTY_SHA256, encodeQuery } from './sign.ts';
import { elementText, escapeXml } from './xml.ts';

/** S3 may take minutes to join thousands of parts, and to stop waiting would mean to send them all again. */
const COMMIT_TIMEOUT_MS = 600_000;
/** Parts share the line: with the default of 30 s three of 8 MiB get through at 0.6 Mbit/s. */
const PART_TIMEOUTS = 12;

export interface MultipartOptions {
  readonly call: Caller;
  readonly encryption: readonly string[];
  readonly requestTimeoutMs: number;
  readonly onHiddenMd5: () => void;
  /** Whether a listing shows this full key. */
  readonly isListed: (key: string, signal: AbortSignal | undefined) => Promise<boolean>;
}

interface PartTarget {
  readonly key: string;
  readonly uploadId: string;
  readonly number: number;
  readonly signal: AbortSignal | undefined;
}

/** The upload cannot be continued: the server does not know it, or the file is not what was sent before. */
class StaleUpload extends Error {}

/** The port's `putLarge` for full keys. */
export function createPutLarge(options: MultipartOptions) {
  const { call, encryption, requestTimeoutMs, onHiddenMd5, isListed } = options;

  return async function putLarge(
    key: string,
    source: LargeSource,
    resume: UploadState | undefined,
    signal: AbortSignal | undefined,
  ): Promise<PutResult> {
    if (resume !== undefined) {
      try {
        return await send(key, source, resume, true, signal);
      } catch (error) {
        if (!(error instanceof StaleUpload)) throw error;
        // The commit may have succeeded and only its answer been lost: then the key is taken, and the caller compares.
        if (await isListed(key, signal)) return { outcome: 'exists' };
      }
    }
    try {
      return await send(key, source, await create(key, source, signal), false, signal);
    } catch (error) {
      if (!(error instanceof StaleUpload)) throw error;
      throw new StoreError('conflict', `The upload of ${key} was ended by someone else: ${error.message}`);
    }
  };

  async function create(
    key: string,
    source: LargeSource,
    signal: AbortSignal | undefined,
  ): Promise<UploadState> {
    const request: Call = {
      operation: 'CreateMultipartUpload',
      method: 'POST',
      key,
      query: 'uploads=',
      before: ['x-amz-checksum-algorithm', 'SHA256'],
      after: encryption,
      signal,
    };
    const answer = await call(request);
    if (answer.status !== 200) throw call.refuse(request, answer);
    if (hidesMd5(answer.headers)) onHiddenMd5();
    const uploadId = elementText(answer.body, 'UploadId');
    if (!uploadId)
      throw new StoreError('unavailable', `CreateMultipartUpload of ${key} was answered without an id.`);
    const state: UploadState = { uploadId, parts: [] };
    source.progress(state);
    return state;
  }

  async function send(
    key: string,
    source: LargeSource,
    state: UploadState,
    resumed: boolean,
    signal: AbortSignal | undefined,
  ): Promise<PutResult> {
    const { uploadId } = state;
    const parts: UploadedPart[] = [];
    const onTheWay: Promise<UploadedPart>[] = [];
    const oldestArrived = async (): Promise<void> => {
      throwIfStopped(signal, `The upload of ${key}`);
      const oldest = onTheWay.shift();
      if (oldest !== undefined) parts.push(await oldest);
      source.progress({ uploadId, parts: [...parts] });
    };
    const fullPartBytes = partSizeBytes(source.sizeBytes);
    const count = Math.max(1, Math.ceil(source.sizeBytes / fullPartBytes));
    try {
      for (let index = 0; index < count; index += 1) {
        // The part before leaves in these turns, and not after this one was read and hashed: 7 % of a large file's time.
        // Parts that were sent in an earlier run are hashed without holding up the loop.
        await turn();
        await turn();
        throwIfStopped(signal, `The upload of ${key}`);
        if (onTheWay.length >= partsInFlight(source.sizeBytes)) await oldestArrived();
        const offset = index * fullPartBytes;
        const sizeBytes = Math.min(fullPartBytes, source.sizeBytes - offset);
        const body = await orAbandon(key, uploadId, () => source.read(offset, sizeBytes));
        const sha256 = hash('sha256', body, 'hex');
        const sent = state.parts[index];
        if (sent !== undefined) {
          if (sent.number === index + 1 && sent.sha256 === sha256 && sent.sizeBytes === sizeBytes) {
            parts.push(sent);
            continue;
          }
          await abandon(key, uploadId);
          throw new StaleUpload(`part ${index + 1} is not what was sent before`);
        }
        const part = { key, uploadId, number: index + 1, signal };
        const arriving = sendHeard(part, body, sha256, resumed);
        // Its failure is met when its turn comes.
        arriving.catch(() => {});
        onTheWay.push(arriving);
      }
      while (onTheWay.length > 0) await oldestArrived();
    } catch (error) {
      await Promise.allSettled(onTheWay);
      throw error;
    }
    await orAbandon(key, uploadId, () => source.beforeCommit());
    return commit(key, uploadId, parts, resumed, signal);
  }

  /**
   * A server that answers before it has read the part may reset the connection, and its answer is lost with it. The same
   * part without a byte gets that answer; if it is taken instead, the real one will replace it.
   */
  async function sendHeard(
    part: PartTarget,
    body: Buffer,
    sha256: string,
    resumed: boolean,
  ): Promise<UploadedPart> {
    try {
      const etag = await sendPart(part, body, sha256);
      return { number: part.number, etag, sha256, sizeBytes: body.length };
    } catch (error) {
      const unheard = resumed && error instanceof StoreError && error.fault === 'network';
      if (unheard) await sendPart(part, Buffer.alloc(0), EMPTY_SHA256);
      throw error;
    }
  }

  async function sendPart(part: PartTarget, body: Buffer, sha256Hex: string): Promise<string> {
    const { key, uploadId, number, signal } = part;
    const request: Call = {
      operation: 'UploadPart',
      method: 'PUT',
      key,
      query: `partNumber=${number}&uploadId=${encodeQuery(uploadId)}`,
      before: ['x-amz-checksum-sha256', base64OfHex(sha256Hex)],
      body,
      sha256Hex,
      timeoutMs: requestTimeoutMs * PART_TIMEOUTS,
      signal,
    };
    const answer = await call(request);
    if (answer.status === 200) return etagOf('UploadPart', answer);
    const error = call.refuse(request, answer);
    if (error.code === 'NoSuchUpload') throw new StaleUpload(error.message);
    throw error;
  }

  async function commit(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    resumed: boolean,
    signal: AbortSignal | undefined,
  ): Promise<PutResult> {
    const body = Buffer.from(commitBody(parts));
    const request: Call = {
      operation: 'CompleteMultipartUpload',
      method: 'POST',
      key,
      query: `uploadId=${encodeQuery(uploadId)}`,
      before: ['if-none-match', '*'],
      body,
      sha256Hex: hash('sha256', body, 'hex'),
      timeoutMs: Math.max(requestTimeoutMs, COMMIT_TIMEOUT_MS),
      signal,
    };
    const answer = await call(request);
    // S3 sends its 200 before the joining is done; what then fails is told in the body.
    const failed = answer.status !== 200 || answer.body.includes('<Error>');
    const code = failed ? elementText(answer.body, 'Code') : undefined;
    if (!failed) {
      if (hidesMd5(answer.headers)) onHiddenMd5();
      return { outcome: 'created', etag: committedEtag(key, answer) };
    }
    if (answer.status === 412 || code === 'PreconditionFailed') {
      await abandon(key, uploadId);
      return { outcome: 'exists' };
    }
    const error = call.refuse(request, answer);
    if (code === 'NoSuchUpload') throw new StaleUpload(error.message);
    if (resumed && (code === 'InvalidPart' || code === 'InvalidPartOrder' || code === 'EntityTooSmall')) {
      await abandon(key, uploadId);
      throw new StaleUpload(error.message);
    }
    throw error;
  }

  /** Runs the caller's own code; if that throws, nobody will want the parts again. */
  async function orAbandon<T>(key: string, uploadId: string, run: () => T): Promise<T> {
    try {
      return run();
    } catch (error) {
      await abandon(key, uploadId);
      throw error;
    }
  }

  /** Best effort: the bucket's lifecycle rule for unfinished uploads removes what this cannot. */
  async function abandon(key: string, uploadId: string): Promise<void> {
    const query = `uploadId=${encodeQuery(uploadId)}`;
    await call({ operation: 'AbortMultipartUpload', method: 'DELETE', key, query }).catch(() => undefined);
  }
}

function commitBody(parts: readonly UploadedPart[]): string {
  const entries = parts.map(
    ({ number, etag, sha256 }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(`"${etag}"`)}</ETag>` +
      `<ChecksumSHA256>${base64OfHex(sha256)}</ChecksumSHA256></Part>`,
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entries.join('')}</CompleteMultipartUpload>`;
}

function committedEtag(key: string, answer: Answer): string {
  const etag = elementText(answer.body, 'ETag')?.replaceAll('"', '');
  if (etag) return etag;
  throw new StoreError(
    'unavailable',
    `CompleteMultipartUpload of ${key} was answered without an ETag: unknown whether it is done.`,
  );
}
