// The shift's files as JSON: what is asked for in the address, and what is answered for each file.
import { type BrowseQuery, type Browser, FILE_STATES, type LocalFile } from '../files/browse.ts';
import type { Place } from '../files/ledger/browse.ts';
import { type BytePath, toBytePath, toText } from '../files/paths.ts';

const LIMIT = 100;
const LIMIT_MAX = 500;

/** What an address asks for; a sentence when it asks for nothing that can be answered. */
export function parseQuery(search: URLSearchParams): BrowseQuery | string {
  const state = search.get('state') ?? '';
  const known = FILE_STATES.find((one) => one === state);
  if (state !== '' && known === undefined) return `state is one of ${FILE_STATES.join(', ')}.`;
  const sinceMs = numberOf(search, 'since', Number.NEGATIVE_INFINITY);
  const untilMs = numberOf(search, 'until', Number.POSITIVE_INFINITY);
  const limit = numberOf(search, 'limit', LIMIT);
  if (sinceMs === undefined || untilMs === undefined)
    return 'since and until are Unix times in milliseconds.';
  if (limit === undefined || !Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    return `limit is a whole number from 1 to ${LIMIT_MAX}.`;
  const after = search.get('after');
  const place = after === null ? undefined : placeOf(after);
  if (after !== null && place === undefined) return 'after is what an earlier answer gave as next.';
  return { state: known, name: toBytePath(search.get('name') ?? ''), sinceMs, untilMs, after: place, limit };
}

export async function filesOf(browser: Browser, query: BrowseQuery) {
  // A path that is known exactly is found wherever it stands, without a search.
  const exact =
    query.name !== '' && query.after === undefined && isPlain(query.name)
      ? browser.find(query.name)
      : undefined;
  const found = await browser.newest(query);
  const fits = exact !== undefined && (query.state === undefined || exact.state === query.state);
  const files =
    fits && !found.files.some(({ path }) => path === exact.path) ? [exact, ...found.files] : found.files;
  return {
    files: files.map(shown),
    next: found.next === undefined ? null : textOfPlace(found.next),
    /** Files that arrived after this were looked through; null when all were. */
    searchedToMs: found.next?.arrivedMs ?? null,
  };
}

function shown({ path, stat, arrivedMs, state, trouble, object, goesAtMs }: LocalFile) {
  return {
    id: idOf(path),
    name: toText(path),
    sizeBytes: stat.size,
    writtenMs: stat.mtimeMs,
    arrivedMs,
    state,
    trouble: trouble ? { reason: trouble.reason, message: trouble.message, nextMs: trouble.nextMs } : null,
    object: object ? { ...object, provedAtMs: object.provedAtMs ?? null } : null,
    goesAtMs: goesAtMs ?? null,
  };
}

/** A path in an address: its bytes percent-encoded, whether they are UTF-8 or not. */
function idOf(path: BytePath): string {
  return path.replaceAll(
    /[^A-Za-z0-9_.~/-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** The path an address names; undefined when it is none. */
export function pathOfId(id: string): BytePath | undefined {
  if (!/^(?:[A-Za-z0-9_.~/-]|%[0-9A-Fa-f]{2})+$/.test(id)) return undefined;
  return id.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const textOfPlace = ({ arrivedMs, path }: Place): string => `${arrivedMs}/${idOf(path)}`;

function placeOf(text: string): Place | undefined {
  const [, time = '', id = ''] = /^(\d+(?:\.\d+)?)\/(.*)$/s.exec(text) ?? [];
  const path = pathOfId(id);
  return time === '' || path === undefined ? undefined : { arrivedMs: Number(time), path };
}

function numberOf(search: URLSearchParams, name: string, otherwise: number): number | undefined {
  const text = search.get(name);
  if (text === null || text === '') return otherwise;
  return /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

const isPlain = (path: BytePath): boolean =>
  !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
