// ListObjectsV2: pages in UTF-8 byte order, and the lies about them that a test may order.
import { type Answer, element, encodeListed, Refusal, xml } from './answer.ts';
import type { ListingLie, S3Request } from './faults.ts';
import type { ObjectTable } from './objects.ts';

const MAX_KEYS = 1_000;
const TOKEN = 'after:';

export function listObjects(
  objects: ObjectTable,
  request: S3Request,
  bucket: string,
  lie: ListingLie | undefined,
): Answer {
  const { query } = request;
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    throw new Refusal(400, 'InvalidArgument', 'Invalid Encoding Method specified in Request');
  }
  const limit = query.get('max-keys') ?? String(MAX_KEYS);
  if (!/^\d{1,9}$/.test(limit)) throw new Refusal(400, 'InvalidArgument', 'max-keys is not an integer');
  const maxKeys = Math.min(MAX_KEYS, Number(limit));
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = lie === 'from-the-start' ? '' : token === undefined ? startAfter : afterOfToken(token);

  const found = maxKeys === 0 ? [] : objects.keys(prefix, after, maxKeys + 1);
  let keys = found.slice(0, maxKeys);
  let truncated = found.length > maxKeys;
  let nextToken = truncated ? tokenAfter(keys.at(-1) ?? '') : undefined;
  if (lie === 'truncated') keys = keys.slice(0, Math.floor(keys.length / 2));
  if (lie === 'unordered') keys.reverse();
  if (lie === 'empty' || lie === 'endless') keys = [];
  if (lie === 'repeated') keys = keys.flatMap((key) => [key, key]);
  if (lie === 'stray') keys.push(`\u{1F47B}${prefix}stray`);
  if (lie === 'truncated' || lie === 'empty') truncated = false;
  if (lie === 'endless') truncated = true;
  if (lie === 'truncated' || lie === 'empty' || lie === 'endless') nextToken = undefined;

  const name = (text: string): string => (encoding ? encodeListed(text) : text);
  const inner = [
    element('Name', bucket),
    element('Prefix', name(prefix)),
    token === undefined ? '' : element('ContinuationToken', token),
    nextToken === undefined ? '' : element('NextContinuationToken', nextToken),
    startAfter === '' ? '' : element('StartAfter', name(startAfter)),
    element('KeyCount', keys.length),
    element('MaxKeys', maxKeys),
    encoding ? element('EncodingType', 'url') : '',
    element('IsTruncated', truncated),
    ...keys.map((key) => entry(objects, key, name(key))),
  ];
  const plain = xml('ListBucketResult', inner.join(''));
  const body = lie === 'odd' ? plain.replaceAll('<Contents>', '<!-- odd --><Contents xmlns="">') : plain;
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: lie === 'malformed' ? body.slice(0, Math.floor(body.length / 2)) : body,
  };
}

function entry(objects: ObjectTable, key: string, name: string): string {
  const object = objects.map.get(key);
  const sum = object?.checksum;
  return `<Contents>${[
    element('Key', name),
    element('LastModified', new Date(object?.lastModifiedMs ?? 0).toISOString()),
    element('ETag', `"${object?.etag ?? '0'.repeat(32)}"`),
    sum ? element('ChecksumAlgorithm', sum.algorithm.toUpperCase()) + element('ChecksumType', sum.type) : '',
    element('Size', object?.sizeBytes ?? 0),
    element('StorageClass', 'STANDARD'),
  ].join('')}</Contents>`;
}

function tokenAfter(key: string): string {
  return Buffer.from(TOKEN + key).toString('base64');
}

function afterOfToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString();
  if (!text.startsWith(TOKEN)) {
    throw new Refusal(400, 'InvalidArgument', 'The continuation token provided is incorrect');
  }
  return text.slice(TOKEN.length);
}
