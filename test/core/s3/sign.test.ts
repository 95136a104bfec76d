// The signature is S3's own: the documentation's examples, and requests of every kind against the AWS SDK's own signer.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { extendedEncodeURIComponent } from '@smithy/core/protocols';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { encryptionHeaders } from '../../../app/core/s3/put.ts';
import {
  type Credentials,
  createSigner,
  EMPTY_SHA256,
  encodePath,
  encodeQuery,
  type Unsigned,
} from '../../../app/core/s3/sign.ts';
import { put, setUp } from './setup.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const AT = Date.UTC(2013, 4, 24);
const REQUEST = {
  method: 'GET',
  host: 'examplebucket.s3.amazonaws.com',
  path: '/',
  before: [],
  after: [],
  sha256Hex: EMPTY_SHA256,
} as const;

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
for (const [query, signature] of [
  ['lifecycle=', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
] as const) {
  test(`the documented example ?${query} gets the documented signature`, () => {
    const headers = createSigner('us-east-1')({ ...REQUEST, query }, CREDENTIALS, AT);
    assert.equal(
      headers.at(-1),
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
        `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
  });
}

test('the signing key follows the day and the secret', () => {
  const sign = createSigner('us-east-1');
  const request = { ...REQUEST, query: '' };
  const other = { ...CREDENTIALS, secretAccessKey: 'other' };
  const inputs = [
    [CREDENTIALS, AT],
    [CREDENTIALS, AT + 86_400_000],
    [other, AT + 86_400_000],
    [other, AT],
    [CREDENTIALS, AT],
  ] as const;
  for (const [credentials, atMs] of inputs) {
    assert.deepEqual(sign(request, credentials, atMs), createSigner('us-east-1')(request, credentials, atMs));
  }
});

test('a session token is sent and signed', () => {
  const headers = createSigner('us-east-1')(
    { ...REQUEST, query: '' },
    { ...CREDENTIALS, sessionToken: 'tok' },
    AT,
  );
  assert.equal(headers[headers.indexOf('x-amz-security-token') + 1], 'tok');
  assert.match(
    headers.at(-1) ?? '',
    /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
  );
});

/** SHA-256 as the SDK takes it: with a secret an HMAC. */
class Sha256 extends Hash {
  constructor(secret?: ConstructorParameters<typeof Hash>[1]) {
    super('sha256', secret);
  }
}

/** The authorization header that the AWS SDK's S3 client would send. */
async function sdkAuthorization(
  request: Omit<Unsigned, 'query'>,
  parameters: readonly (readonly [name: string, value: string])[],
  region: string,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  nowMs: number,
): Promise<string | undefined> {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  const signer = new SignatureV4({
    ...{ service: 's3', region, credentials, sha256: Sha256 },
    // S3's own ways: a key is encoded once, and the body's hash is a header that we give.
    ...{ uriEscapePath: false, applyChecksum: false },
  });
  const headers = Object.fromEntries([
    ['host', request.host],
    ['x-amz-content-sha256', request.sha256Hex],
    ...pairs(request.before),
    ...pairs(request.after),
  ]);
  const signed = await signer.sign(
    {
      ...{ method: request.method, protocol: 'https:', hostname: request.host, path: request.path },
      ...{ query: Object.fromEntries(parameters), headers },
    },
    { signingDate: new Date(nowMs) },
  );
  return signed.headers.authorization;
}

function pairs(flat: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    flat[2 * index] ?? '',
    flat[2 * index + 1] ?? '',
  ]);
}

/** Flat, as Unsigned wants it: each name once, ascending. */
function headerList(name: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc
    .uniqueArray(fc.tuple(name, headerValue), { selector: ([text]) => text, maxLength: 4 })
    .map((headers) => headers.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat());
}

/** Whatever HTTP lets through, blanks where they matter among it. */
const headerValue = fc.oneof(
  fc.stringMatching(/^[!-~]{0,40}$/),
  fc
    .array(fc.oneof(fc.constantFrom(' ', '  ', '\t', ':', ': '), fc.stringMatching(/^[!-~]{1,8}$/)))
    .map((parts) => parts.join('')),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(...' !"#$%&\'()*+,-./:;<=>?@[]^_`{|}~', 'a', 'Z', '0', 'ü', '例', '😀'),
  }),
);
const kmsKeyId = fc.stringMatching(/^[A-Za-z0-9:/_-]{1,60}$/);
const request = fc.record({
  method: fc.constantFrom<Unsigned['method'][]>('GET', 'PUT', 'POST', 'DELETE'),
  host: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,40}[a-z0-9](:[1-9][0-9]{0,4})?$/),
  key: text,
  parameters: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][A-Za-z-]{0,12}$/), text), {
    selector: ([name]) => name,
    maxLength: 4,
  }),
  before: headerList(fc.stringMatching(/^(if-|range|x-amz-(acl|checksum-))[a-z0-9-]{0,8}$/)),
  after: fc.oneof(
    fc
      .constantFrom('none' as const, 'AES256' as const)
      .map((sse) => encryptionHeaders({ sse, sseKmsKeyId: undefined })),
    kmsKeyId.map((id) => encryptionHeaders({ sse: 'aws:kms', sseKmsKeyId: id })),
    headerList(fc.stringMatching(/^x-amz-(server-side-encryption|tagging|website)[a-z0-9-]{0,8}$/)),
  ),
  sha256Hex: fc.stringMatching(/^[0-9a-f]{64}$/),
});
const secret = fc.stringMatching(/^[!-~]{1,48}$/);
const credentials = fc.record({
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,32}$/),
  // Longer than HMAC's block too: such a key is hashed first.
  secretAccessKey: fc.oneof(secret, fc.stringMatching(/^[!-~]{61,80}$/)),
  sessionToken: fc.option(fc.oneof(headerValue, fc.stringMatching(/^[A-Za-z0-9+/=]{1,400}$/)), {
    nil: undefined,
  }),
});
const DAY_MS = 86_400_000;
// Few days and few credentials for many requests: the key that was computed for one must serve no other.
const run = fc.record({
  region: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/),
  firstDay: fc.integer({ min: 0, max: Date.UTC(9998, 0) / DAY_MS }),
  known: fc.array(credentials, { minLength: 2, maxLength: 2 }),
  requests: fc.array(
    fc.record({
      request,
      who: fc.nat({ max: 1 }),
      atMs: fc.oneof(fc.nat({ max: 2 * DAY_MS }), fc.constantFrom(0, DAY_MS - 1, DAY_MS)),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

test("any request is signed as the AWS SDK's own signer signs it", async () => {
  await fc.assert(
    fc.asyncProperty(run, async ({ region, firstDay, known, requests }) => {
      const sign = createSigner(region);
      for (const { request: made, who, atMs } of requests) {
        const { key, parameters, ...rest } = made;
        const sorted = parameters.toSorted(([a], [b]) => (a < b ? -1 : 1));
        const query = sorted.map(([name, value]) => `${name}=${encodeQuery(value)}`).join('&');
        const unsigned = { ...rest, path: `/${encodePath(key)}`, query };
        const by = known[who] ?? CREDENTIALS;
        const nowMs = firstDay * DAY_MS + atMs;
        const headers = new Map(pairs(sign(unsigned, by, nowMs)));
        assert.equal(
          headers.get('authorization'),
          await sdkAuthorization(unsigned, parameters, region, by, nowMs),
        );
        // What is sent is what was given: only the signature is over other blanks.
        for (const [name, value] of [...pairs(unsigned.before), ...pairs(unsigned.after)])
          assert.equal(headers.get(name), value);
      }
    }),
    { numRuns: 300 },
  );
});

test("a key is encoded as the AWS SDK's S3 client encodes it", () => {
  fc.assert(
    fc.property(text, (key) => {
      assert.equal(encodePath(key), key.split('/').map(extendedEncodeURIComponent).join('/'));
      assert.equal(encodeQuery(key), extendedEncodeURIComponent(key));
    }),
    { numRuns: 1_000 },
  );
});

test('blanks around and within a KMS key id and a session token are signed as a server reads them', async (t) => {
  const sessionToken = ' to  ken ';
  const { server, store } = await setUp(t, {
    ...{ sse: 'aws:kms', sseKmsKeyId: '  alias/of  two words ' },
    credentials: () => Promise.resolve({ ...keys, sessionToken }),
  });
  const keys = { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey };
  server.setCredentials([{ ...keys, sessionToken: 'to ken' }]);
  assert.equal((await put(store)).outcome, 'created');
});

test('the signing key is computed once for a day and a secret, not for each request', (t) => {
  const spies = (['createHmac', 'createHash', 'hash'] as const).map((name) => t.mock.method(crypto, name));
  t.after(() => {
    for (const spy of spies) spy.mock.restore();
    syncBuiltinESMExports();
  });
  syncBuiltinESMExports();
  const sign = createSigner('us-east-1');
  /** What one more request takes, in hashes of any kind. */
  const hashesOf = (by: Credentials, atMs: number): number => {
    const before = spies.reduce((sum, spy) => sum + spy.mock.callCount(), 0);
    sign({ ...REQUEST, query: '' }, by, atMs);
    return spies.reduce((sum, spy) => sum + spy.mock.callCount(), 0) - before;
  };
  const first = hashesOf(CREDENTIALS, AT);
  const later = Array.from({ length: 20 }, (_, second) => hashesOf(CREDENTIALS, AT + second * 1_000));
  // One over the request and two that make an HMAC of it.
  assert.deepEqual(
    later,
    Array.from({ length: 20 }, () => 3),
  );
  // The count does see a key being computed: four HMACs.
  assert.deepEqual([first, hashesOf(CREDENTIALS, AT + DAY_MS)], [7, 7]);
});

test('only unreserved characters stay as they are, and decoding gives the text back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.match(encodePath(text), /^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/);
      assert.match(encodeQuery(text), /^(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/);
      assert.equal(decodeURIComponent(encodePath(text)), text);
      assert.equal(decodeURIComponent(encodeQuery(text)), text);
    }),
  );
});
