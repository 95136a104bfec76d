// A listing's page read as text, in the few shapes that S3 and its kin give. What is in no such shape is not understood.
import { unescapeXml } from './xml.ts';

/** An object as the page shows it: its key not yet decoded. */
export interface RawEntry {
  key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** A page of which every element was understood; nothing is concluded from it yet. */
export interface RawPage {
  /** What surrounds the entries, by the element's name. */
  readonly frame: ReadonlyMap<string, string>;
  readonly entries: readonly RawEntry[];
}

/** Each stands once at most in a page. */
export const FRAME_NAMES = [
  'Name',
  'Prefix',
  'StartAfter',
  'KeyCount',
  'MaxKeys',
  'Delimiter',
  'EncodingType',
  'IsTruncated',
  'ContinuationToken',
  'NextContinuationToken',
] as const;

// Every repetition below ends at a sign that it cannot hold, so that no text makes them try twice; those of elements are
// bounded, because each takes of the stack. '>' and a carriage return, which XML reads as another sign, are left to the
// parser, as are entities in what is only skipped.
const SPACE = '[ \\t\\r\\n]*';
const skipped = (name: string) => `<${name}>[^<>&]*</${name}>${SPACE}`;
const KEY = `<Key>([^<>\\r]+)</Key>${SPACE}`;
const ETAG = `<ETag>(?:&quot;|&#34;|")?([^<>&"\\r]+)(?:&quot;|&#34;|")?</ETag>${SPACE}`;
const SIZE = `<Size>([0-9]{1,15})</Size>${SPACE}`;
const MODIFIED = `(?:${skipped('LastModified')})?`;
const CHECKSUM = `(?:${skipped('ChecksumAlgorithm')}){0,9}(?:${skipped('ChecksumType')})?`;
const CLASS = skipped('StorageClass');
const OWNER = `<Owner>${SPACE}(?:${skipped('ID')}|${skipped('DisplayName')}){0,2}</Owner>${SPACE}`;
const RESTORE = `<RestoreStatus>${SPACE}(?:${skipped('IsRestoreInProgress')}|${skipped('RestoreExpiryDate')}){0,2}</RestoreStatus>${SPACE}`;
const entry = (...parts: readonly string[]) =>
  new RegExp(`<Contents>${SPACE}${parts.join('')}</Contents>${SPACE}`, 'y');

/** One expression an entry, in the order its server gives: 1,000 of them cost half of what looking for each element does. */
const SHAPES = [
  // S3, MinIO.
  {
    all: entry(
      ...[KEY, MODIFIED, ETAG, CHECKSUM, SIZE],
      ...[`(?:${OWNER}(?:${CLASS})?|${CLASS}(?:${OWNER})?)?`, `(?:${RESTORE})?`],
    ),
    key: 1,
    etag: 2,
  },
  // versitygw.
  {
    all: entry(
      ...[MODIFIED, CHECKSUM, ETAG, KEY],
      ...[`(?:${OWNER})?`, `(?:${RESTORE})?`, SIZE, `(?:${CLASS})?`],
    ),
    key: 2,
    etag: 1,
  },
] as const;

const START = new RegExp(
  `(?:<\\?xml version="1\\.0"(?: encoding="(?:UTF|utf)-8")?(?: standalone="(?:yes|no)")? ?\\?>${SPACE})?` +
    `<ListBucketResult(?: xmlns="[^"<>&]*")?>${SPACE}`,
  'y',
);
const FRAME = new RegExp(`<(${FRAME_NAMES.join('|')})(?:/>|>([^<>\\r]*)</\\1>)${SPACE}`, 'y');
const END = new RegExp(`</ListBucketResult>${SPACE}$`, 'y');

/** The page when all of it is understood; otherwise where the first is that is not. */
export function scanPage(xml: string): RawPage | number {
  const frame = new Map<string, string>();
  const entries: RawEntry[] = [];
  START.lastIndex = 0;
  if (!START.test(xml)) return 0;
  let at = START.lastIndex;
  let shape: (typeof SHAPES)[number] = SHAPES[0];
  for (;;) {
    shape.all.lastIndex = at;
    let found = shape.all.exec(xml);
    if (found === null && xml.startsWith('<Contents>', at)) {
      shape = shape === SHAPES[0] ? SHAPES[1] : SHAPES[0];
      shape.all.lastIndex = at;
      found = shape.all.exec(xml);
    }
    if (found !== null) {
      const key = unescapeXml(found[shape.key] ?? '');
      if (key === undefined) return at;
      entries.push({ key, sizeBytes: Number(found[3]), etag: found[shape.etag] ?? '' });
      at = shape.all.lastIndex;
      continue;
    }
    FRAME.lastIndex = at;
    const [all = '', name = '', text = ''] = FRAME.exec(xml) ?? [];
    if (name === '') break;
    const plain = unescapeXml(text);
    if (plain === undefined || frame.has(name)) return at;
    frame.set(name, plain);
    at += all.length;
  }
  END.lastIndex = at;
  return END.test(xml) ? { frame, entries } : at;
}
