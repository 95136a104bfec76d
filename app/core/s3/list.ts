// One ListObjectsV2 page, scanned as text: 1,000 keys must not block the loop. What is not as expected goes to an XML
// parser, and what is no page there is refused.
import { messageOf, StoreError } from '../errors.ts';
import type { ListPage } from '../store.ts';
import type { Address } from './address.ts';
import type { Call, Caller } from './call.ts';
import { type RawPage, scanPage } from './list-scan.ts';
import { encodeQuery } from './sign.ts';

/** 1,000 keys of 1,024 bytes, percent-encoded, with owner and checksum elements, fit several times. */
const PAGE_MAX_BYTES = 16 * 2 ** 20;
/** An entry of S3's and what follows its key. */
const ODD_SHOWN_UNITS = 400;

/** The port's `list`. Keys of the page are relative to the store's prefix. */
export function createList(address: Address, call: Caller) {
  return async function list(
    prefix: string,
    after: string,
    signal: AbortSignal | undefined,
  ): Promise<ListPage> {
    const full = address.prefix + prefix;
    const start = after === '' ? '' : `&start-after=${encodeQuery(address.prefix + after)}`;
    const request: Call = {
      operation: 'ListObjectsV2',
      method: 'GET',
      key: undefined,
      query: `encoding-type=url&list-type=2&max-keys=1000&prefix=${encodeQuery(full)}${start}`,
      maxAnswerBytes: PAGE_MAX_BYTES,
      signal,
    };
    const answer = await call(request);
    if (answer.status !== 200) throw call.refuse(request, answer);
    return parseListing(answer.body, full, address.prefix.length);
  };
}

/**
 * Reads a page. `prefix` is what was asked for; the first `stripUnits` UTF-16 units of every key are cut off. A promise
 * only where the text is not as expected, and an XML parser is loaded to read it: 1.4 MiB of heap that few runs hold.
 * Throws StoreError `bad-listing` for anything but a complete, well-formed page of that prefix.
 */
export function parseListing(xml: string, prefix: string, stripUnits: number): ListPage | Promise<ListPage> {
  const page = scanPage(xml);
  return typeof page === 'number'
    ? parseOdd(xml, page, prefix, stripUnits)
    : readPage(page, prefix, stripUnits);
}

/** What the scan does not understand is unknown, never absent: a real parser reads all of it, or it is refused. */
async function parseOdd(xml: string, oddAt: number, prefix: string, stripUnits: number): Promise<ListPage> {
  const { parsePage } = await import('./list-xml.ts').catch((error: unknown) => {
    // No descriptor or no memory is left: that passes.
    const why = `The parser for an odd listing could not be loaded: ${messageOf(error)}`;
    throw new StoreError('unavailable', why, { cause: error });
  });
  let page: RawPage;
  try {
    page = parsePage(xml);
  } catch (error) {
    refuse(prefix, messageOf(error));
  }
  return { ...readPage(page, prefix, stripUnits), odd: xml.slice(oddAt, oddAt + ODD_SHOWN_UNITS) };
}

/** Refuses a page that speaks of another prefix or another count, or does not say whether more follows. */
function readPage({ frame, entries }: RawPage, prefix: string, stripUnits: number): ListPage {
  const encoding = frame.get('EncodingType') ?? '';
  if (encoding !== '' && encoding !== 'url') refuse(prefix, `its keys are encoded as ${encoding}`);
  const decode = encoding === 'url' ? decodeKey : (text: string) => text;

  const truncated = frame.get('IsTruncated');
  if (truncated !== 'true' && truncated !== 'false') refuse(prefix, 'it does not say whether more follows');
  const keyCount = frame.get('KeyCount');
  if (keyCount !== undefined && keyCount !== String(entries.length)) {
    refuse(prefix, `it announces ${keyCount} keys and holds ${entries.length}`);
  }
  if (frame.get('Delimiter')) refuse(prefix, 'it groups keys, which was not asked for');
  const echoed = frame.get('Prefix');
  if (echoed !== undefined && echoed !== prefix && decode(echoed) !== prefix) {
    refuse(prefix, `it is of another prefix, ${JSON.stringify(echoed)}`);
  }
  for (const entry of entries) {
    const key = decode(entry.key);
    if (!key) refuse(prefix, `${JSON.stringify(entry.key)} is no key`);
    if (!key.startsWith(prefix)) refuse(prefix, `the key ${JSON.stringify(key)} is not below the prefix`);
    entry.key = key.slice(stripUnits);
  }
  return { objects: entries, more: truncated === 'true' };
}

/** Undoes `encoding-type=url`, where '+' may stand for a space; undefined when it cannot be undone. */
function decodeKey(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function refuse(prefix: string, why: string): never {
  throw new StoreError(
    'bad-listing',
    `The listing of ${JSON.stringify(prefix)} cannot be trusted: ${why}. Nothing is concluded from it.`,
  );
}
