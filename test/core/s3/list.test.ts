// The scan of a listing's XML takes what S3 and its kin send, and refuses everything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../../app/core/errors.ts';
import { parseListing } from '../../../app/core/s3/list.ts';
import { escapeXml, unescapeXml } from '../../../app/core/s3/xml.ts';

const ENTRY =
  '<Contents><Key>p/a.json</Key><LastModified>2026-11-20T13:00:00.000Z</LastModified>' +
  '<ETag>&quot;0f6cd69a774eb2de00ecf9a6c9c18f86&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>';
const page = (inner: string, frame = '<IsTruncated>false</IsTruncated>') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
  `<Name>b</Name><Prefix>p/</Prefix>${frame}${inner}</ListBucketResult>`;
const OBJECT = { key: 'a.json', sizeBytes: 7, etag: '0f6cd69a774eb2de00ecf9a6c9c18f86' };

test('a page gives its objects without the prefix and says whether more follows', () => {
  assert.deepEqual(parseListing(page(ENTRY), 'p/', 2), { objects: [OBJECT], more: false });
  const more = page(ENTRY, '<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>');
  assert.deepEqual(parseListing(more, 'p/', 2), { objects: [OBJECT], more: true });
  assert.deepEqual(parseListing(page(''), 'p/', 2), { objects: [], more: false });
});

test('owners, checksums, another order of elements and other spellings of a quote change nothing', () => {
  const entry =
    '<Contents><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><Size>7</Size><ETag>&#34;0f6cd69a774eb2de00ecf9a6c9c18f86&#34;</ETag>' +
    '<Owner><ID>1</ID><DisplayName>x</DisplayName></Owner><Key>p/a.json</Key></Contents>';
  assert.deepEqual(parseListing(page(entry), 'p/', 2).objects, [OBJECT]);
});

test('any key comes back as it was, percent-encoded or plain', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((key) => key.isWellFormed());
  fc.assert(
    fc.property(text, (key) => {
      const plain = ENTRY.replace('p/a.json', () => escapeXml(`p/${key}`));
      assert.equal(parseListing(page(plain), 'p/', 2).objects[0]?.key, key);
      const encoded = ENTRY.replace('p/a.json', () => encodeURIComponent(`p/${key}`).replaceAll('%20', '+'));
      const frame = '<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>';
      assert.equal(parseListing(page(encoded, frame), 'p/', 2).objects[0]?.key, key);
    }),
  );
});

const REFUSED: Readonly<Record<string, string>> = {
  'cut off in the middle': page(ENTRY).slice(0, -30),
  'an empty answer': '',
  'a web page': '<html><body>Sign in to the network</body></html>',
  'an error under status 200': '<Error><Code>InternalError</Code></Error>',
  'no word on what follows': page(ENTRY, ''),
  'another word on what follows': page(ENTRY, '<IsTruncated>maybe</IsTruncated>'),
  'an entry without a size': page(ENTRY.replace('<Size>7</Size>', '')),
  'an entry without a key': page(ENTRY.replace('<Key>p/a.json</Key>', '')),
  'an entry without an ETag': page(ENTRY.replace(/<ETag>.*<\/ETag>/, '')),
  'a size that is no number': page(ENTRY.replace('<Size>7<', '<Size>7k<')),
  'an entry that does not end': page(ENTRY.replace('</Contents>', '')),
  'a key outside the prefix': page(ENTRY.replace('p/a.json', 'q/a.json')),
  'a key with an unknown entity': page(ENTRY.replace('p/a.json', 'p/&nbsp;')),
  'a key of marked-up text': page(ENTRY.replace('p/a.json', '<![CDATA[p/a]]>')),
  'a key that is no percent-encoding': page(
    ENTRY.replace('p/a.json', 'p/%E0%A4'),
    '<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>',
  ),
  'another prefix': page('').replace('<Prefix>p/</Prefix>', '<Prefix>q/</Prefix>'),
  'fewer keys than announced': page(ENTRY, '<KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>'),
  'grouped keys': page('<CommonPrefixes><Prefix>p/x/</Prefix></CommonPrefixes>'),
  'text after its end': `${page(ENTRY)}<ListBucketResult>`,
};
for (const [what, xml] of Object.entries(REFUSED)) {
  test(`a listing is refused: ${what}`, () => {
    assert.throws(
      () => parseListing(xml, 'p/', 2),
      (error) => error instanceof StoreError && error.fault === 'bad-listing',
    );
  });
}

test('a page cut anywhere is refused', () => {
  const whole = page(ENTRY + ENTRY.replace('a.json', 'b.json'));
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(() => parseListing(whole.slice(0, length), 'p/', 2), StoreError);
  }
});

test('escaped text is unescaped to what it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(unescapeXml(escapeXml(text)), text)),
  );
  assert.equal(unescapeXml('&lt;&#x41;&#65;&apos;&gt;'), "<AA'>");
  for (const bad of ['&', '&;', '&amp', '&#x110000;', '&#;', 'a&b;'])
    assert.equal(unescapeXml(bad), undefined);
});
