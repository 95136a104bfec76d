// The signature is S3's own: the documentation's examples, and keys of every kind against a server that checks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSigner, EMPTY_SHA256, encodePath, encodeQuery } from '../../../app/core/s3/sign.ts';

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
