// From a request line to what is asked: bucket, key, query, operation. What is not known here is refused, not ignored.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Refusal } from './answer.ts';
import type { S3Operation, S3Request } from './faults.ts';
import { decodeBytes } from './signature.ts';

const MAX_KEY_BYTES = 1_024;

/** The query parameters an operation may carry, and the operation they mean. */
const OPERATIONS: readonly {
  readonly op: S3Operation;
  readonly method: string;
  readonly onKey: boolean;
  readonly needs: readonly string[];
  readonly may: readonly string[];
}[] = [
  { op: 'UploadPart', method: 'PUT', onKey: true, needs: ['partNumber', 'uploadId'], may: [] },
  { op: 'PutObject', method: 'PUT', onKey: true, needs: [], may: [] },
  {
    op: 'ListParts',
    method: 'GET',
    onKey: true,
    needs: ['uploadId'],
    may: ['part-number-marker', 'max-parts'],
  },
  { op: 'GetObject', method: 'GET', onKey: true, needs: [], may: [] },
  { op: 'HeadObject', method: 'HEAD', onKey: true, needs: [], may: [] },
  { op: 'CreateMultipartUpload', method: 'POST', onKey: true, needs: ['uploads'], may: [] },
  { op: 'CompleteMultipartUpload', method: 'POST', onKey: true, needs: ['uploadId'], may: [] },
  { op: 'AbortMultipartUpload', method: 'DELETE', onKey: true, needs: ['uploadId'], may: [] },
  { op: 'DeleteObject', method: 'DELETE', onKey: true, needs: [], may: [] },
  {
    op: 'ListObjectsV2',
    method: 'GET',
    onKey: false,
    needs: ['list-type'],
    may: ['prefix', 'start-after', 'continuation-token', 'max-keys', 'encoding-type', 'fetch-owner'],
  },
  { op: 'HeadBucket', method: 'HEAD', onKey: false, needs: [], may: [] },
];

const KNOWN_AMZ_HEADERS =
  /^x-amz-(date|content-sha256|security-token|checksum-.+|sdk-checksum-algorithm|trailer|decoded-content-length|meta-.+|server-side-encryption(-aws-kms-key-id|-bucket-key-enabled)?|storage-class|expected-bucket-owner|mp-object-size|user-agent)$/;

/** What an operation needs leave for; ListParts and aborting belong to putting, as the mover's role has it. */
export type Permission = 'read' | 'list' | 'put' | 'delete';

export function permissionOf(op: S3Operation): Permission {
  if (op === 'GetObject' || op === 'HeadObject') return 'read';
  if (op === 'ListObjectsV2' || op === 'HeadBucket') return 'list';
  return op === 'DeleteObject' ? 'delete' : 'put';
}

export function splitTarget(target: string): { readonly rawPath: string; readonly rawQuery: string } {
  const mark = target.indexOf('?');
  return mark < 0
    ? { rawPath: target, rawQuery: '' }
    : { rawPath: target.slice(0, mark), rawQuery: target.slice(mark + 1) };
}

/** Path style, or virtual-host style when the host name starts with the bucket's. Throws a Refusal. */
export function parseRequest(message: IncomingMessage, number: number, bucketName: string): S3Request {
  const { rawPath, rawQuery } = splitTarget(message.url ?? '/');
  const method = message.method ?? '';
  const virtualHost = message.headers.host?.startsWith(`${bucketName}.`) ?? false;
  const slash = rawPath.indexOf('/', 1);
  const rawBucket = slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash);
  const rawKey = virtualHost ? rawPath.slice(1) : slash < 0 ? '' : rawPath.slice(slash + 1);
  const bucket = virtualHost ? bucketName : decodeText(rawBucket);
  const key = decodeText(rawKey);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new Refusal(400, 'KeyTooLongError', 'Your key is too long');
  }
  const query = new Map<string, string>();
  for (const pair of rawQuery === '' ? [] : rawQuery.split('&')) {
    const at = pair.indexOf('=');
    query.set(decodeText(at < 0 ? pair : pair.slice(0, at)), at < 0 ? '' : decodeText(pair.slice(at + 1)));
  }
  const op = operationOf(method, key, query);
  return { number, method, op, bucket, key, query, headers: message.headers };
}

function operationOf(method: string, key: string, query: ReadonlyMap<string, string>): S3Operation {
  const found = OPERATIONS.find(
    (candidate) =>
      candidate.method === method &&
      candidate.onKey === (key !== '') &&
      candidate.needs.every((name) => query.has(name)),
  );
  if (!found) return 'Unknown';
  const strange = [...query.keys()].find(
    (name) => name !== 'x-id' && !found.needs.includes(name) && !found.may.includes(name),
  );
  return strange === undefined ? found.op : 'Unknown';
}

/** Refuses what this server does not know, so that no test passes because a header was ignored. */
export function refuseUnknown(request: S3Request): void {
  if (request.op === 'Unknown') {
    const query = [...request.query.keys()].join('&');
    throw new Refusal(
      501,
      'NotImplemented',
      `${request.method} with the query "${query}" is not known here.`,
    );
  }
  for (const name of Object.keys(request.headers)) {
    const conditional = /^if-/.test(name) || name === 'range';
    const allowed = name === 'if-none-match' && /^(PutObject|CompleteMultipartUpload)$/.test(request.op);
    if ((conditional && !allowed) || (name.startsWith('x-amz-') && !KNOWN_AMZ_HEADERS.test(name))) {
      throw new Refusal(501, 'NotImplemented', `The header ${name} is not known here for ${request.op}.`);
    }
  }
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && condition !== '*') {
    throw new Refusal(501, 'NotImplemented', 'If-None-Match can only be * here.');
  }
}

function decodeText(raw: string): string {
  const bytes = decodeBytes(raw);
  if (!isUtf8(bytes)) throw new Refusal(400, 'InvalidURI', "Couldn't parse the specified URI.");
  return bytes.toString();
}
