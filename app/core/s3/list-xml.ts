// A listing's page read as XML, for the page that the scan of its text does not understand.
//
// fast-xml-parser, MIT: its validator refuses what is not well-formed, and it keeps every element in its order; the AWS
// SDK's own parser takes text behind the end, drops entities it does not know, and mixes attributes with elements.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { FRAME_NAMES, type RawEntry, type RawPage } from './list-scan.ts';
import { unescapeXml } from './xml.ts';

interface Element {
  readonly name: string;
  readonly children: readonly (Element | string)[];
}

/** What is in it under its first key: the element's name, or what stands for text. Then its attributes, if any. */
type Node = Readonly<Record<string, string | readonly Node[]>>;

const TEXT = '#text';
const CDATA = '#cdata';
const COMMENT = '#comment';
const FRAME: ReadonlySet<string> = new Set(FRAME_NAMES);
/** Whatever else an entry holds says nothing about the object's presence, size and content. */
const TELLS: ReadonlySet<string> = new Set(['Key', 'ETag', 'Size']);
const ONCE_IN_ENTRY = ['Key', 'LastModified', 'ETag', 'Size', 'StorageClass'];

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  ignoreDeclaration: true,
  trimValues: false,
  parseTagValue: false,
  // It leaves an entity that it does not know as it is.
  processEntities: false,
  cdataPropName: CDATA,
  commentPropName: COMMENT,
});

/**
 * More than a page of 1,000 keys holds, twenty elements each. A tree is made of all of it before anything can be judged,
 * and memory is short: 20,000 entries were the end of a process.
 */
const TAGS_MAX = 60_000;
const ATTRIBUTES_MAX = 2_000;
/** Between two tags, or within one; a key has 1,024 bytes, percent-encoded three times as many. */
const PIECE_MAX_UNITS = 16 * 2 ** 10;

/** Throws an Error that says why, for anything but a well-formed page of known elements. */
export function parsePage(xml: string): RawPage {
  refuseVast(xml);
  if (xml.includes('<!DOCTYPE')) throw new Error('it declares a document type');
  const plain = xml.replace(/^\uFEFF?<\?xml [^<>?]*\?>/, '').replace(/^\uFEFF/, '');
  // What its validator lets pass: instructions, signs that are none in XML, text behind the end that looks like an entity.
  if (plain.includes('<?')) throw new Error('it holds an instruction');
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\uFEFF\uFFFE\uFFFF]/.test(plain)) throw new Error('it holds a control sign');
  if (!/<\/ListBucketResult[ \t\r\n]*>[ \t\r\n]*$/.test(plain))
    throw new Error('it is cut off, no listing, or goes on behind its end');
  const valid = XMLValidator.validate(plain);
  if (valid !== true) throw new Error(`it is cut off or not well-formed (${valid.err.msg})`);
  const nodes: readonly Node[] = parser.parse(plain);
  const [root, ...others] = elementsOf({ name: '', children: nodes.map(read) });
  if (root?.name !== 'ListBucketResult' || others.length > 0) throw new Error('it is no listing');

  const frame = new Map<string, string>();
  const entries: RawEntry[] = [];
  for (const element of elementsOf(root)) {
    const { name } = element;
    if (name === 'Contents') entries.push(readEntry(element));
    else if (name === 'CommonPrefixes') throw new Error('it groups keys, which was not asked for');
    else if (!FRAME.has(name)) throw new Error(`it holds a <${name}>, which was not asked for`);
    else if (frame.has(name)) throw new Error(`it holds ${name} twice`);
    else frame.set(name, textOf(element));
  }
  return { frame, entries };
}

function refuseVast(xml: string): void {
  let tags = 0;
  let last = 0;
  for (let at = xml.indexOf('<'); at >= 0; at = xml.indexOf('<', at + 1)) {
    tags += 1;
    if (tags > TAGS_MAX || at - last > PIECE_MAX_UNITS) throw new Error('it is larger than a page can be');
    last = at;
  }
  let attributes = 0;
  for (let at = xml.indexOf('='); at >= 0; at = xml.indexOf('=', at + 1)) {
    const sign = xml.slice(at + 1, at + 20).trimStart()[0];
    if (sign === '"' || sign === "'") attributes += 1;
    if (attributes > ATTRIBUTES_MAX) throw new Error('it holds more attributes than a page can');
  }
}

function readEntry(entry: Element): RawEntry {
  const elements = elementsOf(entry);
  refuseNested(entry, 0);
  const only = (name: string): string | undefined => {
    const [first, ...others] = elements.filter((element) => element.name === name);
    if (others.length > 0) throw new Error(`an entry holds ${name} twice`);
    return first && textOf(first);
  };
  const [key, , etag, size = ''] = ONCE_IN_ENTRY.map(only);
  const plainEtag = etag?.replaceAll('"', '');
  if (!key || !plainEtag || !/^[0-9]{1,15}$/.test(size)) {
    const held = elements.map(({ name, children }) => `${name} ${JSON.stringify(children)}`).join(', ');
    throw new Error(`an entry lacks its key, ETag or size: ${held.slice(0, 200)}`);
  }
  return { key, sizeBytes: Number(size), etag: plainEtag };
}

/** An entry within an entry, or what tells of the page there, would be passed over. */
function refuseNested(element: Element, depth: number): void {
  for (const child of element.children) {
    if (typeof child === 'string') continue;
    const { name } = child;
    const isOfEntry = depth > 0 && TELLS.has(name);
    if (isOfEntry || FRAME.has(name) || name === 'Contents' || name === 'CommonPrefixes')
      throw new Error(`an entry holds a ${name} at a place where none belongs`);
    refuseNested(child, depth + 1);
  }
}

/** What an element holds besides white space, where text would be odd. */
function elementsOf({ name, children }: Element): Element[] {
  return children.flatMap((child) => {
    if (typeof child !== 'string') return [child];
    if (/[^ \t\r\n]/.test(child)) throw new Error(`text stands in <${name}>: ${child.slice(0, 100)}`);
    return [];
  });
}

function textOf({ name, children }: Element): string {
  for (const child of children) if (typeof child !== 'string') throw new Error(`<${name}> holds elements`);
  return children.join('');
}

/** Refuses what its validator lets pass: names that are none or of another namespace, entities nobody defined. */
function read(node: Node): Element | string {
  const [[name, inside] = ['', ''], [, attributes] = []] = Object.entries(node);
  if (typeof inside === 'string') {
    const text = name === TEXT && !inside.includes(']]>') ? unescapeXml(inside) : undefined;
    if (text === undefined) throw new Error(`this is no text: ${inside.slice(0, 100)}`);
    return text;
  }
  const raw = inside.map((part) => part[TEXT] ?? '').join('');
  if (name === CDATA) return raw;
  if (name === COMMENT && !/--|-$/.test(raw)) return '';
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) throw new Error(`it holds a <${name}>`);
  if (Object.values(attributes ?? {}).some((value) => String(value).includes('<')))
    throw new Error(`<${name}> has a broken attribute`);
  return { name, children: inside.map(read) };
}
