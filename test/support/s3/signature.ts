// Signature version 4 as the server's side checks it: everything is recomputed from the raw request line and headers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from './answer.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** A token past its time: answers ExpiredToken. */
  readonly expired?: boolean;
}

/** What a request must be held against, and what the checks of its body still need. */
export interface SignedRequest {
  readonly method: string;
  /** As on the request line, still encoded. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly rawHeaders: readonly string[];
}

export interface Signature {
  readonly payloadHash: string;
  readonly signature: string;
  readonly amzDate: string;
  readonly scope: string;
  readonly signingKey: Buffer;
}

const MAX_SKEW_MS = 15 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** Throws a Refusal unless the request was signed with one of the credentials for this region, now. */
export function verifySignature(
  request: SignedRequest,
  credentials: readonly Credentials[],
  region: string,
  nowMs: number,
): Signature {
  const headers = headerValues(request.rawHeaders);
  const authorization = headers.get('authorization');
  if (authorization === undefined) throw new Refusal(403, 'AccessDenied', 'Anonymous access is denied.');
  const match = AUTHORIZATION.exec(authorization);
  if (!match) {
    throw new Refusal(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  }
  const [, accessKeyId = '', date = '', scopeRegion = '', signedNames = '', signature = ''] = match;
  const known = credentials.find((candidate) => candidate.accessKeyId === accessKeyId);
  if (!known) throw new Refusal(403, 'InvalidAccessKeyId', `The access key ${accessKeyId} does not exist.`);
  const amzDate = headers.get('x-amz-date') ?? '';
  checkDate(amzDate, date, nowMs);
  if (scopeRegion !== region) {
    throw new Refusal(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${scopeRegion}' is wrong; expecting '${region}'`,
      { elements: { Region: region }, headers: { 'x-amz-bucket-region': region } },
    );
  }
  const payloadHash = headers.get('x-amz-content-sha256');
  if (payloadHash === undefined) {
    throw new Refusal(
      400,
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  }
  const scope = `${date}/${region}/s3/aws4_request`;
  const canonical = [
    request.method,
    canonicalPath(request.rawPath),
    canonicalQuery(request.rawQuery),
    canonicalHeaders(headers, signedNames),
    signedNames,
    payloadHash,
  ].join('\n');
  const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hashHex(Buffer.from(canonical, 'latin1'))}`;
  const signingKey = signingKeyOf(known.secretAccessKey, date, region);
  if (!equalHex(hmac(signingKey, toSign).toString('hex'), signature)) {
    throw new Refusal(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
      { elements: { StringToSign: toSign, CanonicalRequest: canonical } },
    );
  }
  if (headers.get('x-amz-security-token') !== known.sessionToken) {
    throw new Refusal(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
  if (known.expired) throw new Refusal(400, 'ExpiredToken', 'The provided token has expired.');
  return { payloadHash, signature, amzDate, scope, signingKey };
}

function checkDate(amzDate: string, scopeDate: string, nowMs: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  if (!match || !amzDate.startsWith(scopeDate)) {
    throw new Refusal(403, 'AccessDenied', 'AWS authentication requires a valid x-amz-date header.');
  }
  const [year = 0, month = 0, ...rest] = match.slice(1).map(Number);
  const sentMs = Date.UTC(year, month - 1, rest[0], rest[1], rest[2], rest[3]);
  if (Math.abs(sentMs - nowMs) > MAX_SKEW_MS) {
    throw new Refusal(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      { elements: { RequestTime: amzDate, ServerTime: new Date(nowMs).toISOString() } },
    );
  }
}

/** Several headers of one name are joined by a comma; runs of blanks count as one. */
function headerValues(rawHeaders: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = (rawHeaders[index + 1] ?? '').trim().replace(/ {2,}/g, ' ');
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values;
}

function canonicalHeaders(headers: ReadonlyMap<string, string>, signedNames: string): string {
  const names = signedNames.split(';');
  if (names.some((name, index) => index > 0 && name <= (names[index - 1] ?? ''))) {
    throw new Refusal(400, 'AuthorizationHeaderMalformed', 'SignedHeaders must be sorted and unique.');
  }
  for (const name of headers.keys()) {
    const mustBeSigned = name === 'host' || name === 'content-md5' || name.startsWith('x-amz-');
    if (mustBeSigned && !names.includes(name)) {
      throw new Refusal(
        403,
        'AccessDenied',
        'There were headers present in the request which were not signed',
        {
          elements: { HeadersNotSigned: name },
        },
      );
    }
  }
  let text = '';
  for (const name of names) text += `${name}:${headers.get(name) ?? ''}\n`;
  return text;
}

/** Decoded and encoded again, so that a client that encodes otherwise than it signs is found out. */
function canonicalPath(rawPath: string): string {
  return rawPath.split('/').map(reencode).join('/');
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return '';
  const pairs = rawQuery.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0
      ? ([reencode(pair), ''] as const)
      : ([reencode(pair.slice(0, at)), reencode(pair.slice(at + 1))] as const);
  });
  const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  pairs.sort((left, right) => order(left[0], right[0]) || order(left[1], right[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function reencode(raw: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(raw)) return raw;
  let text = '';
  for (const byte of decodeBytes(raw)) {
    const unit = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(unit) ? unit : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** Percent-decoding to bytes; `+` is a space, in paths too, as S3 has it. */
export function decodeBytes(raw: string): Buffer {
  const plain = raw.replaceAll('+', ' ');
  if (!plain.includes('%')) return Buffer.from(plain, 'latin1');
  if (/%(?![0-9A-Fa-f]{2})/.test(plain)) {
    throw new Refusal(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
  const decoded = plain.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}

const signingKeys = new Map<string, Buffer>();

function signingKeyOf(secret: string, date: string, region: string): Buffer {
  const name = `${secret}\n${date}\n${region}`;
  let key = signingKeys.get(name);
  if (!key) {
    key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), 's3'), 'aws4_request');
    signingKeys.set(name, key);
  }
  return key;
}

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

export function hashHex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function equalHex(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
