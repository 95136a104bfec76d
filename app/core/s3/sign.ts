// AWS Signature Version 4 in headers: the whole request, its body's SHA-256 included, is signed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { createHmac, hash } from 'node:crypto';

/** What a request is signed with. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Undefined: they do not expire. */
  readonly expiration?: Date | undefined;
}

/** A request before it is signed. Header lists are flat, name after value, names in lower case and ascending. */
export interface Unsigned {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly host: string;
  /** Percent-encoded as encodePath does. */
  readonly path: string;
  /** Percent-encoded, parameters in ascending order, `name=value`; '' for none. */
  readonly query: string;
  /** Headers that sort between `host` and `x-amz-content-sha256`. */
  readonly before: readonly string[];
  /** Headers that sort after `x-amz-security-token`. */
  readonly after: readonly string[];
  /** SHA-256 of the body, hex. */
  readonly sha256Hex: string;
}

export const EMPTY_SHA256 = hash('sha256', '', 'hex');

/** Signs for one region. The signing key, good for a day, is computed once per day and secret: for each request, 33 us. */
export function createSigner(region: string) {
  let secret = '';
  let day = '';
  let scope = '';
  let macOf: ((text: string) => string) | undefined;
  let second = -1;
  let stamp = '';

  function prepare(credentials: Credentials, nowMs: number): (text: string) => string {
    const nowSecond = Math.floor(nowMs / 1_000);
    if (nowSecond !== second) {
      second = nowSecond;
      stamp = `${new Date(nowSecond * 1_000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    }
    const today = stamp.slice(0, 8);
    if (macOf !== undefined && today === day && credentials.secretAccessKey === secret) return macOf;
    day = today;
    secret = credentials.secretAccessKey;
    scope = `${day}/${region}/s3/aws4_request`;
    macOf = keyedHmac(hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request'));
    return macOf;
  }

  /** The request's headers, flat, `authorization` last. */
  return function sign(request: Unsigned, credentials: Credentials, nowMs: number): string[] {
    const mac = prepare(credentials, nowMs);
    const headers = ['host', request.host, ...request.before];
    headers.push('x-amz-content-sha256', request.sha256Hex, 'x-amz-date', stamp);
    if (credentials.sessionToken) headers.push('x-amz-security-token', credentials.sessionToken);
    headers.push(...request.after);

    // Joined in one go: growing a string by 40 pieces leaves 40 objects and has to be flattened to be hashed.
    const lines = [request.method, '\n', request.path, '\n', request.query, '\n'];
    let names = 'host';
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] ?? '';
      lines.push(name, ':', headers[index + 1] ?? '', '\n');
      if (index > 0) names += `;${name}`;
    }
    lines.push('\n', names, '\n', request.sha256Hex);
    const joined = lines.join('');
    // Only a header's value can hold a blank, and hardly any does: to look takes 0.1 us.
    const canonical = joined.includes(' ') || joined.includes('\t') ? withSingleBlanks(joined) : joined;
    const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`;
    const signature = mac(text);
    headers.push(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    );
    return headers;
  };
}

/**
 * Header values as a server signs them: each run of blanks one space, none around the value. A session token comes as the
 * environment has it, a KMS key id as the events' settings have it: a blank at its end must not look like a wrong secret.
 */
function withSingleBlanks(canonical: string): string {
  return canonical
    .replace(/[ \t]+/g, ' ')
    .replace(/^([^:\n]+:) /gm, '$1')
    .replace(/ $/gm, '');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) of short ASCII texts under one key, hex, from two one-shot hashes: 0.9 us, where createHmac takes
 * 1.7 and leaves a native object to the collector.
 */
function keyedHmac(key: Buffer): (text: string) => string {
  let inner: Buffer = Buffer.alloc(2 * BLOCK_BYTES, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  return (text) => {
    if (inner.length < BLOCK_BYTES + text.length) {
      inner = Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.alloc(text.length)]);
    }
    const length = inner.write(text, BLOCK_BYTES, 'latin1');
    outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + length), 'hex'), BLOCK_BYTES, 'hex');
    return hash('sha256', outer, 'hex');
  };
}

const NOT_PLAIN = /[^A-Za-z0-9\-._~/]+/g;

/** RFC 3986 by UTF-8 byte, '/' kept. The text must be well-formed Unicode. */
export function encodePath(text: string): string {
  return text.replace(NOT_PLAIN, encodeQuery);
}

/** The same, '/' encoded too: for the values of a query. */
export function encodeQuery(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
