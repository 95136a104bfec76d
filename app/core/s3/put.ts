// The lean PUT: one conditional request whose body the server verifies before the object is visible.
import { StoreError } from '../errors.ts';
import { type PutResult, SINGLE_PUT_MAX_BYTES, type Store } from '../store.ts';
import { type Address, fullKey } from './address.ts';
import type { Call, Caller } from './call.ts';
import type { Answer } from './http.ts';

/** Server-side encryption asked for with every new object; 'none' leaves it to the bucket's default. */
export interface Encryption {
  readonly sse: 'none' | 'AES256' | 'aws:kms';
  readonly sseKmsKeyId: string | undefined;
}

/** The headers of `Call.after`. */
export function encryptionHeaders({ sse, sseKmsKeyId }: Encryption): readonly string[] {
  if (sse === 'none') return [];
  const headers = ['x-amz-server-side-encryption', sse];
  if (sse === 'aws:kms' && sseKmsKeyId)
    headers.push('x-amz-server-side-encryption-aws-kms-key-id', sseKmsKeyId);
  return headers;
}

/** Whether an answer shows an encryption under which an ETag is no MD5. */
export function hidesMd5(headers: Answer['headers']): boolean {
  const sse = headers['x-amz-server-side-encryption'];
  return (
    (typeof sse === 'string' && sse.startsWith('aws:kms')) ||
    headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined
  );
}

/** The answer's ETag without quotes. Throws: an answer without one does not come from S3. */
export function etagOf(operation: string, answer: Answer): string {
  // As a listing's is read: the two are compared.
  const etag = answer.headers.etag?.replaceAll('"', '') ?? '';
  if (etag !== '') return etag;
  throw new StoreError(
    'unavailable',
    `${operation} was answered with HTTP ${answer.status} but no ETag: something between here and S3 answers in its place.`,
  );
}

export interface PutOptions {
  readonly address: Address;
  readonly call: Caller;
  readonly encryption: readonly string[];
  /** Told the first time that an answer shows ETags are no MD5. */
  readonly onHiddenMd5: () => void;
}

/** The port's `put`. */
export function createPut({ address, call, encryption, onHiddenMd5 }: PutOptions): Store['put'] {
  return async function put(
    key: string,
    body: Buffer,
    sha256Hex: string,
    signal?: AbortSignal,
  ): Promise<PutResult> {
    if (body.length > SINGLE_PUT_MAX_BYTES) {
      throw new StoreError('bad-request', `${key} has ${body.length} bytes: too many for a single PUT.`);
    }
    const request: Call = {
      operation: 'PutObject',
      method: 'PUT',
      key: fullKey(address, key),
      before: ['if-none-match', '*', 'x-amz-checksum-sha256', base64OfHex(sha256Hex)],
      after: encryption,
      body,
      sha256Hex,
      signal,
    };
    const answer = await call(request);
    if (answer.status === 200) {
      if (hidesMd5(answer.headers)) onHiddenMd5();
      return { outcome: 'created', etag: etagOf('PutObject', answer) };
    }
    if (answer.status === 412) return { outcome: 'exists' };
    throw call.refuse(request, answer);
  };
}

export function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
