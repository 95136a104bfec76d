// A listing's page is read in the shapes that S3 and its kin give; what is in no such shape is read as XML or refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../../app/core/errors.ts';
import { parseListing } from '../../../app/core/s3/list.ts';
import { scanPage } from '../../../app/core/s3/list-scan.ts';
import { parsePage } from '../../../app/core/s3/list-xml.ts';
import { escapeXml, unescapeXml } from '../../../app/core/s3/xml.ts';
import { createObjects } from '../../../bench/null-s3-objects.ts';
import { put, setUp } from './setup.ts';

const ENTRY =
  '<Contents><Key>p/a.json</Key><LastModified>2026-11-20T13:00:00.000Z</LastModified>' +
  '<ETag>&quot;0f6cd69a774eb2de00ecf9a6c9c18f86&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>';
const page = (inner: string, frame = '<IsTruncated>false</IsTruncated>') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
  `<Name>b</Name><Prefix>p/</Prefix>${frame}${inner}</ListBucketResult>`;
const URL_FRAME = '<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>';
const OBJECT = { key: 'a.json', sizeBytes: 7, etag: '0f6cd69a774eb2de00ecf9a6c9c18f86' };

const isBadListing = (error: unknown) => error instanceof StoreError && error.fault === 'bad-listing';

/** What a page that the scan takes gives. */
function fast(xml: string, prefix = 'p/') {
  const read = parseListing(xml, prefix, prefix.length);
  assert.ok(!(read instanceof Promise), `not understood from ${String(scanPage(xml))} on`);
  assert.equal(read.odd, undefined);
  return read;
}

test('a page gives its objects without the prefix and says whether more follows', () => {
  assert.deepEqual(fast(page(ENTRY)), { objects: [OBJECT], more: false });
  const more = page(ENTRY, '<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>');
  assert.deepEqual(fast(more), { objects: [OBJECT], more: true });
  assert.deepEqual(fast(page('')), { objects: [], more: false });
});

test('owners, checksums, another order of elements and other spellings of a quote change nothing', async () => {
  const entry =
    '<Contents><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><Size>7</Size><ETag>&#34;0f6cd69a774eb2de00ecf9a6c9c18f86&#34;</ETag>' +
    '<Owner><ID>1</ID><DisplayName>x</DisplayName></Owner><Key>p/a.json</Key></Contents>';
  assert.deepEqual((await parseListing(page(entry), 'p/', 2)).objects, [OBJECT]);
});

test('any key comes back as it was, percent-encoded or plain', async () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((key) => key.isWellFormed());
  await fc.assert(
    fc.asyncProperty(text, async (key) => {
      const plain = ENTRY.replace('p/a.json', () => escapeXml(`p/${key}`));
      assert.equal((await parseListing(page(plain), 'p/', 2)).objects[0]?.key, key);
      const encoded = ENTRY.replace('p/a.json', () => encodeURIComponent(`p/${key}`).replaceAll('%20', '+'));
      assert.equal(fast(page(encoded, URL_FRAME)).objects[0]?.key, key);
    }),
  );
});

const ROOT = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
const DECLARED = `<?xml version="1.0" encoding="UTF-8"?>\n${ROOT}`;
const SHAPES: Readonly<Record<string, string>> = {
  'of S3 as its documentation shows it': `${DECLARED}
    <Name>quotes</Name>
    <Prefix>p/</Prefix>
    <StartAfter>p/A</StartAfter>
    <KeyCount>2</KeyCount>
    <MaxKeys>3</MaxKeys>
    <IsTruncated>true</IsTruncated>
    <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
    <Contents>
        <Key>p/a.json</Key>
        <LastModified>2026-11-20T13:00:00.000Z</LastModified>
        <ETag>"0f6cd69a774eb2de00ecf9a6c9c18f86"</ETag>
        <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>
        <ChecksumType>FULL_OBJECT</ChecksumType>
        <Size>7</Size>
        <Owner>
            <ID>mtd@example.com</ID>
            <DisplayName>mtd</DisplayName>
        </Owner>
        <StorageClass>STANDARD</StorageClass>
        <RestoreStatus>
            <IsRestoreInProgress>false</IsRestoreInProgress>
            <RestoreExpiryDate>2026-12-01T00:00:00.000Z</RestoreExpiryDate>
        </RestoreStatus>
    </Contents>
    <Contents><Key>p/b</Key><ETag>&quot;x-2&quot;</ETag><ChecksumAlgorithm>SHA1</ChecksumAlgorithm><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><Size>8</Size><StorageClass>GLACIER</StorageClass><Owner><ID>1</ID></Owner></Contents>
</ListBucketResult>
`,
  'of S3 without a prefix': `${DECLARED}<Name>b</Name><Prefix/><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${ENTRY}</ListBucketResult>`,
  'of MinIO': `${DECLARED}<Name>b</Name><Prefix>p/</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><Delimiter></Delimiter><IsTruncated>false</IsTruncated><Contents><Key>p/a.json</Key><LastModified>2026-11-20T13:00:00.000Z</LastModified><ETag>&#34;0f6cd69a774eb2de00ecf9a6c9c18f86&#34;</ETag><Size>7</Size><Owner><ID>02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4</ID><DisplayName>minio</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents><EncodingType>url</EncodingType></ListBucketResult>`,
  'of versitygw': `${DECLARED}<Name>b</Name><Prefix>p/</Prefix><StartAfter>p/A &amp;b</StartAfter><ContinuationToken>p/A &amp;b</ContinuationToken><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><LastModified>2026-11-22T18:44:22Z</LastModified><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><ETag>&#34;0f6cd69a774eb2de00ecf9a6c9c18f86&#34;</ETag><Key>p/a.json</Key><Owner><ID></ID></Owner><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents><EncodingType></EncodingType></ListBucketResult>`,
};
for (const [what, xml] of Object.entries(SHAPES)) {
  test(`the scan takes a page ${what}, and gives what the parser gives`, () => {
    const prefix = xml.includes('<Prefix/>') ? '' : 'p/';
    const { objects } = fast(xml, prefix);
    assert.deepEqual(objects[0], { ...OBJECT, key: prefix === '' ? 'p/a.json' : 'a.json' });
    assert.deepEqual(scanPage(xml), parsePage(xml));
  });
}

test('the scan takes what the null S3 of the benchmark answers', () => {
  const store = createObjects();
  for (let index = 0; index < 1_500; index += 1) store.put(`p/a b&c/${index}`, Buffer.from(`${index}`));
  for (const encoding of ['', '&encoding-type=url']) {
    const text = store.list(new URLSearchParams(`list-type=2&prefix=p/${encoding}`));
    const { objects, more } = fast(text);
    assert.deepEqual([objects.length, more], [1_000, true]);
    assert.deepEqual(scanPage(text), parsePage(text));
  }
});

test('the scan takes what the test server answers', async (t) => {
  const { store } = await setUp(t);
  for (const key of ['a b', 'ü/&', "c'(d)!~"]) await put(store, key);
  const whole = await store.list('', '');
  assert.deepEqual([whole.objects.length, whole.odd], [3, undefined]);
  assert.equal((await store.list('', 'c')).odd, undefined);
});

/** Nothing here may be read as if it held no object. */
const ODD: Readonly<Record<string, string>> = {
  'an entry with an attribute': page(ENTRY.replace('<Contents>', '<Contents xmlns="">')),
  'an entry whose tag holds a space': page(ENTRY.replace('<Contents>', '<Contents >')),
  'elements whose tags hold spaces': page(ENTRY.replaceAll(/<(\/?[A-Z]\w+)>/g, '<$1\n>')),
  'an entry with an element of a server of its own': page(
    ENTRY.replace('</Contents>', '<Type a=">">Normal</Type><More><Less>x</Less></More></Contents>'),
  ),
  'a comment in an entry': page(ENTRY.replace('<Key>', '<!-- <Key>p/x</Key> --><Key>')),
  'a comment in a key': page(ENTRY.replace('a.json', 'a<!-- b -->.json')),
  'a key of marked-up text': page(ENTRY.replace('p/a.json', '<![CDATA[p/a]]>.json')),
  'other quotes in its declaration': page(ENTRY).replace('"1.0"', "'1.0'"),
  'a byte order mark': `\uFEFF${page(ENTRY)}`,
  'another attribute at its root': page(ENTRY).replace('xmlns=', 'xmlns:s3="x" xmlns='),
  'white space behind it': `${page(ENTRY).replace('<Key>', '<Key >')}\n`,
};
for (const [what, xml] of Object.entries(ODD)) {
  test(`a listing is read as XML: ${what}`, async () => {
    const { odd, ...read } = await parseListing(xml, 'p/', 2);
    assert.deepEqual(read, { objects: [OBJECT], more: false });
    assert.ok(odd !== undefined && odd.length > 20 && xml.includes(odd), odd);
  });
}

test('an entry in a comment is no object, and what was odd is told', async () => {
  const { odd, ...read } = await parseListing(page(`<!-- ${ENTRY} -->`), 'p/', 2);
  assert.deepEqual(read, { objects: [], more: false });
  assert.match(odd ?? '', /^<!-- <Contents>/);
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
  'a key that is no percent-encoding': page(ENTRY.replace('p/a.json', 'p/%E0%A4'), URL_FRAME),
  'an unknown encoding of keys': page(ENTRY, URL_FRAME.replace('url', 'base64')),
  'another prefix': page('').replace('<Prefix>p/</Prefix>', '<Prefix>q/</Prefix>'),
  'fewer keys than announced': page(ENTRY, '<KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>'),
  'grouped keys': page('<CommonPrefixes><Prefix>p/x/</Prefix></CommonPrefixes>'),
  'grouping by a delimiter': page('', '<Delimiter>/</Delimiter><IsTruncated>false</IsTruncated>'),
  'no count of keys where one is announced': page('', '<KeyCount/><IsTruncated>false</IsTruncated>'),
  'text after its end': `${page(ENTRY)}<ListBucketResult>`,
  'a second page after its end': page(ENTRY) + page(ENTRY).slice(page('').indexOf('<ListBucketResult')),
  'an entity after its end': `${page(ENTRY.replace('<Key>', '<Key >'))}&#62;`,
  'a comment after its end': `${page(ENTRY)}<!-- -->`,
  'an entry in its declaration': page('').replace(' version="1.0" encoding="UTF-8"', ` ${ENTRY}`),
  'an entry deeper in an entry': page(ENTRY.replace('</Contents>', `<Page>${ENTRY}</Page></Contents>`)),
  'a key deeper in an entry': page(ENTRY.replace('</Contents>', '<More><Key>p/b</Key></More></Contents>')),
  'what follows told in an entry': page(
    ENTRY.replace('</Contents>', '<IsTruncated>true</IsTruncated></Contents>'),
  ),
  'a sign that XML has not': page(ENTRY.replace('<Contents>', '<Contents >').replace('a.json', '\0')),
  'entries of another namespace': page(ENTRY.replaceAll('Contents>', 's3:Contents>')),
  'versions in the place of entries': page(ENTRY.replaceAll('Contents>', 'Version>')),
  'one odd entry of two': page(ENTRY + ENTRY.replaceAll('Contents>', 'contents>')),
  'an empty entry': page(`${ENTRY}<Contents/>`),
  'an entry in an entry': page(`<Contents>${ENTRY}</Contents>`),
  'an entry in an element of the frame': page('', `<IsTruncated>false</IsTruncated><Name>${ENTRY}</Name>`),
  'an entry as text': page(`<![CDATA[${ENTRY}]]>`),
  'an entry in an instruction': page(`<?x ${ENTRY.replaceAll('?', '')}?>`),
  'an entry in an attribute': page(ENTRY.replace('<Contents>', `<Contents a='${ENTRY}'>`)),
  'an entry in a comment that is none': page(`<!-- -- ${ENTRY} -->`),
  'a document type': page(ENTRY).replace('<List', '<!DOCTYPE x [<!ENTITY e "p/a">]><List'),
  'text between entries': page(`${ENTRY}, ${ENTRY}`),
  'two words on what follows': page('', '<IsTruncated>false</IsTruncated><IsTruncated>true</IsTruncated>'),
  'two prefixes': page('').replace('<Prefix>', '<Prefix>p/</Prefix><Prefix>'),
  'two ETags': page(ENTRY.replace('<ETag>', '<ETag>x</ETag><ETag>')),
  'two keys': page(ENTRY.replace('<Key>', '<Key>p/b</Key><Key>')),
  'two sizes': page(ENTRY.replace('<Size>', '<Size>7</Size><Size>')),
  'a size in an element of its own': page(ENTRY.replace('<Size>7<', '<Size><b>7</b><')),
  'an element of a name that JavaScript knows': page(`${ENTRY}<__proto__>1</__proto__>`),
  'a nest of elements': page(`${ENTRY}${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}`),
};
for (const [what, xml] of Object.entries(REFUSED)) {
  test(`a listing is refused: ${what}`, async () => {
    await assert.rejects(async () => parseListing(xml, 'p/', 2), isBadListing);
  });
}

test('a page cut anywhere is refused', async () => {
  const whole = page(ENTRY + ENTRY.replace('a.json', 'b.json'));
  for (let length = 0; length < whole.length; length += 1) {
    await assert.rejects(async () => parseListing(whole.slice(0, length), 'p/', 2), isBadListing);
  }
});

/** Pages in every shape that the scan takes, and some that it does not. */
const pages = (() => {
  const space = fc.constantFrom('', '', '', '\n', ' \t\r\n  ');
  const text = fc.oneof(
    fc.constantFrom('x', 'p/ü', 'a&b', '%41+%20', '&#1;', 'a>b', 'a\rb', ''),
    fc.string({ maxLength: 6 }).map((raw) => raw.replaceAll(/[^ -~]/g, '')),
  );
  const leaf = (name: string, content: fc.Arbitrary<string>) =>
    fc.tuple(content, space).map(([inner, after]) => `<${name}>${escapeXml(inner)}</${name}>${after}`);
  const some = (one: fc.Arbitrary<string>, max = 1) =>
    fc.array(one, { maxLength: max }).map((all) => all.join(''));
  const row = (...parts: readonly fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(''));
  const inside = (name: string, inner: fc.Arbitrary<string>) =>
    fc.tuple(space, inner, space).map(([before, all, after]) => `<${name}>${before}${all}</${name}>${after}`);

  const key = leaf(
    'Key',
    text.map((end) => `p/${end}`),
  );
  const etag = leaf('ETag', fc.constantFrom('"0f6cd69a"', '"0f6c-2"', '0f6c', '""', 'W/"x"'));
  const size = leaf(
    'Size',
    fc.oneof(fc.nat().map(String), fc.constantFrom('', '-1', '9'.repeat(15), '9'.repeat(16))),
  );
  const modified = some(leaf('LastModified', fc.constant('2026-11-20T13:00:00.000Z')));
  const checksum = row(some(leaf('ChecksumAlgorithm', text), 2), some(leaf('ChecksumType', text)));
  const owner = some(inside('Owner', row(some(leaf('ID', text)), some(leaf('DisplayName', text)))));
  const storage = some(leaf('StorageClass', fc.constant('STANDARD')));
  const restore = some(inside('RestoreStatus', some(leaf('IsRestoreInProgress', fc.constant('false')))));
  const entry = inside(
    'Contents',
    fc.oneof(
      row(key, modified, etag, checksum, size, owner, storage, restore),
      row(key, modified, etag, checksum, size, storage, owner, restore),
      row(modified, checksum, etag, key, owner, restore, size, storage),
      row(size, key, etag),
    ),
  );
  const frame = row(
    some(leaf('Name', text)),
    fc.oneof(leaf('Prefix', fc.constant('p/')), fc.constant('')),
    some(leaf('StartAfter', text)),
    some(fc.constant('<Delimiter/>')),
    some(leaf('EncodingType', fc.constantFrom('url', ''))),
    leaf('IsTruncated', fc.constantFrom('true', 'false')),
    some(leaf('NextContinuationToken', text)),
  );
  const start = fc.constantFrom(DECLARED, ROOT, '<ListBucketResult>', `<?xml version="1.0"?>${ROOT}`);
  return fc
    .tuple(
      start,
      space,
      frame,
      fc.array(entry, { maxLength: 4 }),
      some(leaf('MaxKeys', fc.constant('1000'))),
      space,
    )
    .map(([head, first, around, entries, last, end]) => {
      const count = entries.length % 2 === 0 ? `<KeyCount>${entries.length}</KeyCount>` : '';
      return `${head}${first}${around}${count}${entries.join('')}${last}</ListBucketResult>${end}`;
    });
})();

/** The scan gives what the parser gives, or nothing; then the whole gives what the parser gives, or refuses. */
async function agree(xml: string): Promise<'scanned' | 'parsed' | 'refused'> {
  let parsed: ReturnType<typeof parsePage> | undefined;
  try {
    parsed = parsePage(xml);
  } catch {}
  const scanned = scanPage(xml);
  if (typeof scanned !== 'number') {
    assert.deepEqual(scanned, parsed);
    return 'scanned';
  }
  let read: Awaited<ReturnType<typeof parseListing>> | undefined;
  try {
    read = await parseListing(xml, 'p/', 2);
  } catch (error) {
    assert.ok(isBadListing(error), String(error));
    return 'refused';
  }
  assert.equal(read.objects.length, parsed?.entries.length);
  assert.notEqual(read.odd, undefined);
  return 'parsed';
}

test('whatever a page holds, the scan gives what the parser gives or leaves it to it', async () => {
  const seen = { scanned: 0, parsed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(pages, async (xml) => {
      seen[await agree(xml)] += 1;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(seen.scanned > 200 && seen.parsed > 20 && seen.refused > 20, JSON.stringify(seen));
});

test('a page that was changed anywhere never shows fewer objects than are in it', async () => {
  const inserted = fc.constantFrom(
    ...[
      '<!-- x -->',
      '<!--',
      '-->',
      ' ',
      ' xmlns=""',
      ' a="1"',
      '<',
      '>',
      '&',
      '&amp;',
      '/',
      '"',
      '\n',
      '\u00a0',
      'x',
    ],
    ...[
      '<Contents>',
      '</Contents>',
      '<Contents/>',
      '<Key>p/x</Key>',
      '<![CDATA[',
      ']]>',
      '<?x?>',
      '<s3:Key/>',
    ],
    ...['</ListBucketResult>', '<Version></Version>', '<IsTruncated>true</IsTruncated>', ENTRY],
  );
  const seen = { scanned: 0, parsed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      pages,
      fc.constantFrom(
        'insert',
        'insert at a tag',
        'repeat a tag',
        'repeat an element',
        'drop a tag',
        'rename',
        'cut',
      ),
      fc.nat(),
      inserted,
      async (xml, what, where, text) => {
        const tags = [...xml.matchAll(/<[^>]*>/g)];
        const tag = tags[where % tags.length];
        const [word, at] = [tag?.[0] ?? '', tag?.index ?? 0];
        const name = /^<\/?(\w+)/.exec(word)?.[1] ?? 'x';
        const element = new RegExp(`<${name}>[^]*?</${name}>`).exec(xml.slice(at))?.[0] ?? '';
        const spot = where % (xml.length + 1);
        const changed = {
          insert: xml.slice(0, spot) + text + xml.slice(spot),
          'insert at a tag':
            xml.slice(0, at + word.length - (where % 2)) + text + xml.slice(at + word.length - (where % 2)),
          'repeat a tag': xml.slice(0, at) + word + xml.slice(at),
          'repeat an element': xml.slice(0, at) + element + xml.slice(at),
          'drop a tag': xml.slice(0, at) + xml.slice(at + word.length),
          rename: xml.replaceAll(new RegExp(`(</?)${name}\\b`, 'g'), '$1s3:Odd'),
          cut: xml.slice(0, spot),
        }[what];
        seen[await agree(changed)] += 1;
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(seen.scanned > 50 && seen.parsed > 50 && seen.refused > 500, JSON.stringify(seen));
});

test('a hostile page takes the scan no longer than it is long', () => {
  const long = 2 ** 24;
  const hostile = [
    `${ROOT}<Contents><Key>${'a'.repeat(long)}`,
    `${ROOT}<Contents><Key>a</Key>${' '.repeat(long)}x`,
    `${ROOT}<Contents><Key>a</Key><ETag>x</ETag>${'<ChecksumAlgorithm>x</ChecksumAlgorithm>'.repeat(long / 64)}`,
    `${ROOT}<Contents><Key>a</Key><ETag>x</ETag><Size>1</Size><Owner>${'<ID>x</ID>'.repeat(long / 16)}`,
    `${ROOT}${' '.repeat(long)}`,
    `<?xml version="1.0"?>${' '.repeat(long)}`,
    `${ROOT}</ListBucketResult>${' '.repeat(long)}x`,
    `${ROOT}${'<Prefix>'.repeat(long / 8)}`,
  ];
  const startedMs = performance.now();
  for (const xml of hostile) assert.equal(typeof scanPage(xml), 'number');
  // Linear, it is some 100 ms for all; a repetition tried twice would take minutes.
  assert.ok(performance.now() - startedMs < 5_000);
});

test('a page larger than any can be is refused before memory ends', () => {
  const code = `
    import { parseListing } from ${JSON.stringify(join(import.meta.dirname, '../../../app/core/s3/list.ts'))};
    const page = (inner) => '<ListBucketResult><IsTruncated>false</IsTruncated>' + inner + '</ListBucketResult>';
    const entry = '<Contents ><Key>p/a</Key><ETag>x</ETag><Size>1</Size></Contents>';
    const vast = [
      page(entry.repeat(40_000)),
      page('<Name ' + 'a="1" '.repeat(2 ** 19) + '>x</Name>'),
      page(('<Name ' + 'a="1" '.repeat(2 ** 11) + '>x</Name>').repeat(1_000)),
      page('<?x ' + 'y '.repeat(2 ** 22) + '?>'),
      page('<Name >' + 'x'.repeat(2 ** 23) + '</Name>'),
      page('<Contents><Key>p/' + '&'.repeat(2 ** 22) + '</Key></Contents>'),
      page('<Name>' + '&'.repeat(2 ** 22) + '</Name>'),
    ];
    for (const xml of vast) {
      const fault = await Promise.resolve().then(() => parseListing(xml, 'p/', 2)).then(() => 'read', ({ fault }) => fault);
      process.stdout.write(fault + ' ');
    }`;
  const flags = ['--max-old-space-size=64', '--max-semi-space-size=1', '--input-type=module'];
  const ended = spawnSync(process.execPath, [...flags, '-e', code], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(ended.stdout, 'bad-listing '.repeat(7), ended.stderr.slice(-500));
});

test('escaped text is unescaped to what it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(unescapeXml(escapeXml(text)), text)),
  );
  assert.equal(unescapeXml('&lt;&#x41;&#65;&apos;&gt;'), "<AA'>");
  for (const bad of ['&', '&;', '&amp', '&#x110000;', '&#;', 'a&b;'])
    assert.equal(unescapeXml(bad), undefined);
});
