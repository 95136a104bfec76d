// What the test server does with a request once it is read: who asks, may they, is the body what it says, and then the
// operation itself.
import type { IncomingMessage } from 'node:http';
import { type Answer, Refusal } from './answer.ts';
import { verifyBody } from './body.ts';
import type { ListingLie, S3Request } from './faults.ts';
import { listObjects } from './list.ts';
import {
  completeUpload,
  createUpload,
  findUpload,
  listParts,
  type S3Upload,
  uploadPart,
} from './multipart.ts';
import type { NewObject, ObjectTable, StoredS3Object } from './objects.ts';
import { type Permission, permissionOf, refuseUnknown, splitTarget } from './request.ts';
import { type Credentials, verifySignature } from './signature.ts';

/** The state that requests read and change; the server's owner changes it too. */
export interface Service {
  readonly bucket: string;
  readonly region: string;
  readonly bucketRegion: string;
  readonly sse: 'none' | 'kms';
  readonly objects: ObjectTable;
  readonly uploads: Map<string, S3Upload>;
  credentials: readonly Credentials[];
  denied: ReadonlySet<Permission>;
  /** The server's clock against this machine's. */
  skewMs: number;
}

/** The function that serves one request; it throws a Refusal for what S3 refuses. */
export function createService(service: Service) {
  const { bucket, region, objects, uploads } = service;
  const now = (): number => Date.now() + service.skewMs;

  return function serve(message: IncomingMessage, request: S3Request, raw: Buffer, lie?: ListingLie): Answer {
    const target = splitTarget(message.url ?? '/');
    const signature = verifySignature(
      { method: request.method, ...target, rawHeaders: message.rawHeaders },
      service.credentials,
      region,
      now(),
    );
    refuseUnknown(request);
    if (request.bucket !== bucket) {
      throw new Refusal(404, 'NoSuchBucket', `The bucket ${request.bucket} does not exist`);
    }
    const bucketRegion = service.bucketRegion;
    if (bucketRegion !== region) {
      throw new Refusal(301, 'PermanentRedirect', 'The bucket must be addressed using another endpoint.', {
        elements: { Bucket: bucket, Endpoint: `${bucket}.s3.${bucketRegion}.amazonaws.com` },
        headers: { 'x-amz-bucket-region': bucketRegion },
      });
    }
    if (service.denied.has(permissionOf(request.op))) throw accessDenied();
    const body = verifyBody(raw, message.headers, signature);
    const onlyIfAbsent = message.headers['if-none-match'] === '*';
    switch (request.op) {
      case 'PutObject': {
        const { headers } = message;
        if ((headers['content-length'] ?? headers['x-amz-decoded-content-length']) === undefined) {
          throw new Refusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
        }
        const checksum = body.checksum ? ({ ...body.checksum, type: 'FULL_OBJECT' } as const) : undefined;
        const object = { bytes: body.bytes, checksum, lastModifiedMs: now(), ...attributesOf(request) };
        const stored = objects.store(request.key, object, onlyIfAbsent);
        return { status: 200, headers: objectHeaders(stored, true) };
      }
      case 'GetObject':
      case 'HeadObject':
        return read(request);
      case 'DeleteObject':
        objects.remove(request.key);
        return { status: 204 };
      case 'ListObjectsV2':
        return listObjects(objects, request, bucket, lie);
      case 'CreateMultipartUpload':
        return createUpload(uploads, request, attributesOf(request), bucket);
      case 'UploadPart':
        return uploadPart(findUpload(uploads, request), request, body);
      case 'ListParts':
        return listParts(findUpload(uploads, request), request, bucket);
      case 'AbortMultipartUpload':
        findUpload(uploads, request);
        uploads.delete(request.query.get('uploadId') ?? '');
        return { status: 204 };
      case 'CompleteMultipartUpload':
        return completeUpload(uploads, objects, request, body.bytes, onlyIfAbsent, now());
      case 'HeadBucket':
        return { status: 200, headers: { 'x-amz-bucket-region': region } };
      case 'Unknown':
        throw new Refusal(501, 'NotImplemented', 'Not known here.');
    }
  };

  function read(request: S3Request): Answer {
    const stored = objects.map.get(request.key);
    // Without leave to list, S3 does not even tell that a key is free.
    if (!stored && service.denied.has('list')) throw accessDenied();
    if (!stored) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    const withChecksum = request.headers['x-amz-checksum-mode'] === 'ENABLED';
    const headers = { ...objectHeaders(stored, withChecksum), 'content-length': String(stored.sizeBytes) };
    if (request.method === 'HEAD') return { status: 200, headers };
    if (!stored.body) throw new Refusal(500, 'InternalError', 'This server was told to keep no bodies.');
    return { status: 200, headers, body: stored.body };
  }

  function attributesOf(request: S3Request): Pick<NewObject, 'metadata' | 'serverSideEncryption'> {
    const asked = request.headers['x-amz-server-side-encryption'];
    const metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (name.startsWith('x-amz-meta-')) metadata[name.slice('x-amz-meta-'.length)] = String(value);
    }
    const bucketDefault = service.sse === 'kms' ? 'aws:kms' : undefined;
    return { metadata, serverSideEncryption: asked === undefined ? bucketDefault : String(asked) };
  }
}

function accessDenied(): Refusal {
  return new Refusal(403, 'AccessDenied', 'Access Denied');
}

function objectHeaders(object: StoredS3Object, withChecksum: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
  };
  if (object.checksum && withChecksum) {
    headers[`x-amz-checksum-${object.checksum.algorithm}`] = object.checksum.base64;
    headers['x-amz-checksum-type'] = object.checksum.type;
  }
  if (object.serverSideEncryption) headers['x-amz-server-side-encryption'] = object.serverSideEncryption;
  for (const [name, value] of Object.entries(object.metadata)) headers[`x-amz-meta-${name}`] = value;
  return headers;
}
