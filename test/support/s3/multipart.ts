// Multipart uploads with S3's rules: part sizes, order, a checksum per part, one conditional commit.
import { createHash, randomBytes } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { type Answer, element, Refusal, xml } from './answer.ts';
import type { VerifiedBody } from './body.ts';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumElement,
  checksumOf,
  md5Hex,
} from './checksums.ts';
import type { S3Request } from './faults.ts';
import { type NewObject, type ObjectTable, preconditionFailed, type StoredS3Object } from './objects.ts';

export interface S3Part {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly checksum: VerifiedBody['checksum'];
}

export interface S3Upload {
  readonly key: string;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  readonly metadata: NewObject['metadata'];
  readonly serverSideEncryption: string | undefined;
  readonly parts: Map<number, S3Part>;
}

export const MIN_PART_BYTES = 5 * 2 ** 20;
const MAX_PARTS = 10_000;

export function createUpload(
  uploads: Map<string, S3Upload>,
  request: S3Request,
  attributes: Pick<NewObject, 'metadata' | 'serverSideEncryption'>,
  bucket: string,
): Answer {
  const named = header(request, 'x-amz-checksum-algorithm')?.toLowerCase();
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === named);
  if (named !== undefined && !algorithm) {
    throw new Refusal(400, 'InvalidRequest', `Checksum algorithm ${named} is not known.`);
  }
  const type =
    header(request, 'x-amz-checksum-type') ?? (named === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  const composable = algorithm !== 'crc64nvme';
  const whole = algorithm !== 'sha256' && algorithm !== 'sha1';
  if ((type !== 'COMPOSITE' || !composable) && (type !== 'FULL_OBJECT' || !whole)) {
    throw new Refusal(400, 'InvalidRequest', `The checksum type ${type} is not for ${named}.`);
  }
  const uploadId = randomBytes(24).toString('base64url');
  uploads.set(uploadId, { key: request.key, algorithm, type, ...attributes, parts: new Map() });
  const headers = encryptionHeaders(attributes);
  if (algorithm) {
    headers['x-amz-checksum-algorithm'] = algorithm.toUpperCase();
    headers['x-amz-checksum-type'] = type;
  }
  const inner = element('Bucket', bucket) + element('Key', request.key) + element('UploadId', uploadId);
  return { status: 200, headers, body: xml('InitiateMultipartUploadResult', inner) };
}

export function findUpload(uploads: ReadonlyMap<string, S3Upload>, request: S3Request): S3Upload {
  const upload = uploads.get(request.query.get('uploadId') ?? '');
  if (!upload || upload.key !== request.key) {
    throw new Refusal(
      404,
      'NoSuchUpload',
      'The specified upload does not exist. It may have been completed.',
    );
  }
  return upload;
}

export function uploadPart(upload: S3Upload, request: S3Request, body: VerifiedBody): Answer {
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
    throw new Refusal(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000.');
  }
  const given = body.checksum?.algorithm;
  if (upload.algorithm !== undefined && given !== upload.algorithm) {
    throw new Refusal(
      400,
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm}, actual checksum Type: ${given ?? 'null'}`,
    );
  }
  const encrypted = upload.serverSideEncryption === 'aws:kms';
  const etag = encrypted ? randomBytes(16).toString('hex') : md5Hex(body.bytes);
  const part: S3Part = { bytes: body.bytes, etag, checksum: body.checksum };
  upload.parts.set(number, part);
  const headers = encryptionHeaders(upload);
  headers.etag = `"${etag}"`;
  if (part.checksum) headers[`x-amz-checksum-${part.checksum.algorithm}`] = part.checksum.base64;
  return { status: 200, headers };
}

export function listParts(upload: S3Upload, request: S3Request, bucket: string): Answer {
  const marker = Number(request.query.get('part-number-marker') ?? 0);
  const limit = Math.min(1_000, Number(request.query.get('max-parts') ?? 1_000));
  const all = [...upload.parts].filter(([number]) => number > marker).sort(([a], [b]) => a - b);
  const page = all.slice(0, limit);
  const parts = page.map(([number, part]) => {
    const sum = part.checksum ? element(checksumElement(part.checksum.algorithm), part.checksum.base64) : '';
    const rest = element('ETag', `"${part.etag}"`) + element('Size', part.bytes.length) + sum;
    return `<Part>${element('PartNumber', number)}${rest}</Part>`;
  });
  const inner = [
    element('Bucket', bucket),
    element('Key', request.key),
    element('UploadId', request.query.get('uploadId') ?? ''),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', page.at(-1)?.[0] ?? 0),
    element('MaxParts', limit),
    element('IsTruncated', page.length < all.length),
    ...parts,
  ];
  return { status: 200, body: xml('ListPartsResult', inner.join('')) };
}

/** The condition is looked at first: a repeated commit of a finished upload answers 412 when it asks for absence. */
export function completeUpload(
  uploads: Map<string, S3Upload>,
  objects: ObjectTable,
  request: S3Request,
  body: Buffer,
  onlyIfAbsent: boolean,
  nowMs: number,
): Answer {
  if (onlyIfAbsent && objects.map.has(request.key)) throw preconditionFailed();
  const upload = findUpload(uploads, request);
  const parts = chosenParts(upload, body);
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  const announcedSize = header(request, 'x-amz-mp-object-size');
  if (announcedSize !== undefined && announcedSize !== String(bytes.length)) {
    throw new Refusal(400, 'InvalidRequest', 'x-amz-mp-object-size is not the sum of the parts.');
  }
  const md5s = parts.map((part) => Buffer.from(part.etag, 'hex'));
  const object: NewObject = {
    bytes,
    etag: `${md5Hex(Buffer.concat(md5s))}-${parts.length}`,
    checksum: wholeChecksum(upload, parts, bytes, request),
    metadata: upload.metadata,
    serverSideEncryption: upload.serverSideEncryption,
    lastModifiedMs: nowMs,
  };
  const stored = objects.store(request.key, object, onlyIfAbsent);
  uploads.delete(request.query.get('uploadId') ?? '');
  const sum = stored.checksum
    ? element(checksumElement(stored.checksum.algorithm), stored.checksum.base64) +
      element('ChecksumType', stored.checksum.type)
    : '';
  const inner = element('Key', request.key) + element('ETag', `"${stored.etag}"`) + sum;
  return {
    status: 200,
    headers: encryptionHeaders(upload),
    body: xml('CompleteMultipartUploadResult', inner),
  };
}

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'Part' });

function chosenParts(upload: S3Upload, body: Buffer): S3Part[] {
  // The parser's own answer has no type; what it holds is checked field by field.
  const document = parser.parse(body.toString()) as {
    CompleteMultipartUpload?: { Part?: Record<string, string>[] };
  };
  const wanted = document.CompleteMultipartUpload?.Part ?? [];
  if (wanted.length === 0) throw new Refusal(400, 'MalformedXML', 'You must specify at least one part');
  const numbers = wanted.map((entry) => Number(entry.PartNumber));
  if (numbers.some((number, index) => !(number > (numbers[index - 1] ?? 0)))) {
    throw new Refusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  return wanted.map((entry, index) => {
    const number = numbers[index] ?? 0;
    const part = upload.parts.get(number);
    if (!part || part.etag !== entry.ETag?.replace(/&(?:quot|#34|#x22);|"/gi, '')) {
      throw new Refusal(400, 'InvalidPart', `Part ${number} could not be found or has another ETag.`);
    }
    if (index < wanted.length - 1 && part.bytes.length < MIN_PART_BYTES) {
      throw new Refusal(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    }
    checkPartChecksum(upload, part, number, entry);
    return part;
  });
}

function checkPartChecksum(
  upload: S3Upload,
  part: S3Part,
  number: number,
  entry: Readonly<Record<string, string>>,
): void {
  if (!upload.algorithm || !part.checksum) return;
  const given = entry[checksumElement(upload.algorithm)];
  if (given === undefined && upload.type === 'COMPOSITE') {
    throw new Refusal(
      400,
      'InvalidRequest',
      `The upload was created using a ${upload.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  if (given !== undefined && given !== part.checksum.base64) {
    throw new Refusal(400, 'InvalidPart', `Part ${number} has another checksum.`);
  }
}

function wholeChecksum(
  upload: S3Upload,
  parts: readonly S3Part[],
  bytes: Buffer,
  request: S3Request,
): StoredS3Object['checksum'] {
  const { algorithm, type } = upload;
  if (!algorithm) return undefined;
  const sums = parts.map((part) => Buffer.from(part.checksum?.base64 ?? '', 'base64'));
  const composite = `${checksumOf(algorithm, Buffer.concat(sums))}-${parts.length}`;
  const base64 = type === 'FULL_OBJECT' ? checksumOf(algorithm, bytes) : composite;
  const given = header(request, `x-amz-checksum-${algorithm}`);
  if (given !== undefined && given !== base64 && `${given}-${parts.length}` !== base64) {
    throw new Refusal(400, 'BadDigest', `The ${algorithm.toUpperCase()} of the object does not match.`);
  }
  return { algorithm, base64, type };
}

function encryptionHeaders(of: Pick<NewObject, 'serverSideEncryption'>): Record<string, string> {
  return of.serverSideEncryption ? { 'x-amz-server-side-encryption': of.serverSideEncryption } : {};
}

function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name];
  return value === undefined ? undefined : String(value);
}

/** ETag of parts as S3 forms it, for tests to compare with. */
export function multipartEtag(bytes: Buffer, partBytes: number): string {
  const hash = createHash('md5');
  let count = 0;
  for (let at = 0; at < bytes.length; at += partBytes) {
    hash.update(Buffer.from(md5Hex(bytes.subarray(at, at + partBytes)), 'hex'));
    count += 1;
  }
  return `${hash.digest('hex')}-${count}`;
}
