// A request's body as the server believes it: un-chunked, and equal to every hash and checksum the client gave for it.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './answer.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, checksumOf } from './checksums.ts';
import { equalHex, hashHex, hmac, type Signature } from './signature.ts';

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly base64: string;
}

export interface VerifiedBody {
  readonly bytes: Buffer;
  /** The one checksum the client gave, found right. */
  readonly checksum: Checksum | undefined;
}

/** Throws a Refusal when the body is not what the headers (or trailers) promise. */
export function verifyBody(raw: Buffer, headers: IncomingHttpHeaders, signature: Signature): VerifiedBody {
  const { payloadHash } = signature;
  let bytes = raw;
  let trailers: ReadonlyMap<string, string> = new Map();
  if (payloadHash.startsWith('STREAMING-')) {
    ({ bytes, trailers } = unchunk(raw, headers, signature));
  } else if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== hashHex(raw)) {
    throw new Refusal(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const contentMd5 = headers['content-md5'];
  if (contentMd5 !== undefined && contentMd5 !== createHash('md5').update(bytes).digest('base64')) {
    throw new Refusal(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  return { bytes, checksum: verifyChecksum(bytes, headers, trailers) };
}

/** Headers named x-amz-checksum-* that are no checksum of the body. */
const SETTINGS = new Set(['x-amz-checksum-type', 'x-amz-checksum-algorithm', 'x-amz-checksum-mode']);

function verifyChecksum(
  bytes: Buffer,
  headers: IncomingHttpHeaders,
  trailers: ReadonlyMap<string, string>,
): Checksum | undefined {
  const given: [name: string, value: string][] = [...trailers];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-checksum-') && !SETTINGS.has(name)) given.push([name, String(value)]);
  }
  const [first, second] = given;
  if (!first) return undefined;
  if (second) {
    throw new Refusal(400, 'InvalidRequest', 'Expecting a single x-amz-checksum- header.');
  }
  const [name, base64] = first;
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => name === `x-amz-checksum-${known}`);
  if (!algorithm) {
    throw new Refusal(400, 'InvalidRequest', `The algorithm of the header ${name} is not known.`);
  }
  const announced = headers['x-amz-sdk-checksum-algorithm'];
  if (announced !== undefined && String(announced).toLowerCase() !== algorithm) {
    throw new Refusal(400, 'InvalidRequest', `x-amz-sdk-checksum-algorithm does not match ${name}.`);
  }
  const computed = checksumOf(algorithm, bytes);
  if (computed.length !== base64.length) {
    throw new Refusal(400, 'InvalidRequest', `Value for ${name} header is invalid.`);
  }
  if (computed !== base64) {
    throw new Refusal(
      400,
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }
  return { algorithm, base64 };
}

/** The `aws-chunked` encoding: `size;chunk-signature=…`, data, …, an empty chunk, trailers. */
function unchunk(
  raw: Buffer,
  headers: IncomingHttpHeaders,
  signature: Signature,
): { bytes: Buffer; trailers: ReadonlyMap<string, string> } {
  const mode = /^STREAMING-(AWS4-HMAC-SHA256|UNSIGNED)-PAYLOAD(-TRAILER)?$/.exec(signature.payloadHash);
  if (!mode || (mode[1] === 'UNSIGNED' && !mode[2])) {
    throw new Refusal(400, 'InvalidRequest', `${signature.payloadHash} is not a payload that is known here.`);
  }
  const signed = mode[1] !== 'UNSIGNED';
  if (!String(headers['content-encoding'] ?? '').includes('aws-chunked')) {
    throw new Refusal(400, 'InvalidRequest', 'A streamed payload needs the content-encoding aws-chunked.');
  }
  const chunks: Buffer[] = [];
  let previous = signature.signature;
  let at = 0;
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at);
    const line = lineEnd < 0 ? '' : raw.toString('latin1', at, lineEnd);
    const head = /^([0-9a-f]+)(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line);
    if (!head) throw new Refusal(400, 'IncompleteBody', 'The chunked body is cut or malformed.');
    const size = Number.parseInt(head[1] ?? '', 16);
    const chunk = raw.subarray(lineEnd + 2, lineEnd + 2 + size);
    if (signed) {
      const toSign = ['AWS4-HMAC-SHA256-PAYLOAD', previous, hashHex(''), hashHex(chunk)];
      previous = checkChunkSignature(signature, toSign, head[2] ?? '');
    }
    at = lineEnd + 2 + size;
    if (size === 0) break;
    chunks.push(chunk);
    if (raw.toString('latin1', at, at + 2) !== '\r\n') {
      throw new Refusal(400, 'IncompleteBody', 'A chunk is not as long as it says.');
    }
    at += 2;
  }
  const bytes = Buffer.concat(chunks);
  if (headers['x-amz-decoded-content-length'] !== String(bytes.length)) {
    throw new Refusal(400, 'IncompleteBody', 'x-amz-decoded-content-length is not the length of the body.');
  }
  const trailers = mode[2]
    ? readTrailers(raw.toString('latin1', at), headers, signature, signed, previous)
    : [];
  return { bytes, trailers: new Map(trailers) };
}

function readTrailers(
  text: string,
  headers: IncomingHttpHeaders,
  signature: Signature,
  signed: boolean,
  previous: string,
): [string, string][] {
  const lines = text.split('\r\n').filter((line) => line !== '');
  const trailers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const last = trailers.at(-1);
  if (signed) {
    if (last?.[0] !== 'x-amz-trailer-signature') {
      throw new Refusal(400, 'MalformedTrailerError', 'The trailer is not signed.');
    }
    trailers.pop();
    const content = trailers.map(([name, value]) => `${name}:${value}\n`).join('');
    checkChunkSignature(signature, ['AWS4-HMAC-SHA256-TRAILER', previous, hashHex(content)], last[1]);
  }
  const announced = String(headers['x-amz-trailer'] ?? '').toLowerCase();
  if (trailers.map(([name]) => name).join(',') !== announced) {
    throw new Refusal(400, 'MalformedTrailerError', `x-amz-trailer announced "${announced}".`);
  }
  return trailers;
}

function checkChunkSignature(signature: Signature, parts: readonly string[], given: string): string {
  const [kind, ...rest] = parts;
  const toSign = [kind, signature.amzDate, signature.scope, ...rest].join('\n');
  const expected = hmac(signature.signingKey, toSign).toString('hex');
  if (!equalHex(expected, given)) {
    throw new Refusal(403, 'SignatureDoesNotMatch', 'The signature of a chunk does not match.');
  }
  return expected;
}
