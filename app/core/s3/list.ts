// One ListObjectsV2 page, scanned as text: 1,000 keys must not block the loop. What is not as expected is refused.
import { StoreError } from '../errors.ts';
import type { ListPage, StoredObject } from '../store.ts';
import type { Address } from './address.ts';
import type { Call, Caller } from './call.ts';
import { encodeQuery } from './sign.ts';
import { elementText } from './xml.ts';

/** 1,000 keys of 1,024 bytes, percent-encoded, with owner and checksum elements, fit several times. */
const PAGE_MAX_BYTES = 16 * 2 ** 20;

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
 * Reads a page. `prefix` is what was asked for; the first `stripUnits` UTF-16 units of every key are cut off.
 * Throws StoreError `bad-listing` for anything but a complete, well-formed page of that prefix.
 */
export function parseListing(xml: string, prefix: string, stripUnits: number): ListPage {
  const root = xml.indexOf('<ListBucketResult');
  const end = xml.lastIndexOf('</ListBucketResult>');
  if (root === -1 || end < root) refuse(prefix, 'the answer is cut off or is no listing');
  if (xml.slice(end + '</ListBucketResult>'.length).trim() !== '') refuse(prefix, 'text follows its end');
  if (xml.includes('<CommonPrefixes>', root)) refuse(prefix, 'it groups keys, which was not asked for');

  const decode = elementText(xml, 'EncodingType', root, end) === 'url' ? decodeKey : (key: string) => key;
  const objects: StoredObject[] = [];
  let rest = '';
  let position = root;
  for (;;) {
    const start = xml.indexOf('<Contents>', position);
    if (start === -1) break;
    const stop = xml.indexOf('</Contents>', start);
    if (stop === -1) refuse(prefix, 'an entry does not end');
    rest += xml.slice(position, start);
    const etag = elementText(xml, 'ETag', start, stop)?.replaceAll('"', '');
    const size = elementText(xml, 'Size', start, stop);
    const key = decode(elementText(xml, 'Key', start, stop) ?? '');
    if (!key || !etag || size === undefined || !/^\d{1,15}$/.test(size)) {
      refuse(
        prefix,
        `an entry lacks its key, ETag or size: ${xml.slice(start, Math.min(stop, start + 200))}`,
      );
    }
    if (!key.startsWith(prefix)) refuse(prefix, `the key ${JSON.stringify(key)} is not below the prefix`);
    objects.push({ key: key.slice(stripUnits), sizeBytes: Number(size), etag });
    position = stop + '</Contents>'.length;
  }
  rest += xml.slice(position, end);
  return { objects, more: readFrame(rest, prefix, objects.length, decode) };
}

/** What surrounds the entries: whether more follows; refuses when it speaks of another prefix or another count. */
function readFrame(
  frame: string,
  prefix: string,
  count: number,
  decode: (text: string) => string | undefined,
): boolean {
  const truncated = elementText(frame, 'IsTruncated');
  if (truncated !== 'true' && truncated !== 'false') refuse(prefix, 'it does not say whether more follows');
  const keyCount = elementText(frame, 'KeyCount');
  if (keyCount !== undefined && Number(keyCount) !== count) {
    refuse(prefix, `it announces ${keyCount} keys and holds ${count}`);
  }
  const echoed = elementText(frame, 'Prefix');
  if (echoed !== undefined && echoed !== prefix && decode(echoed) !== prefix) {
    refuse(prefix, `it is of another prefix, ${JSON.stringify(echoed)}`);
  }
  return truncated === 'true';
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
