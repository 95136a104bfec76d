// Reading a page: its records, each as a line, and what names the next page.
import type { IncomingHttpHeaders } from 'node:http';
import { messageOf } from '../../core/errors.ts';
import type { Answer } from '../../core/s3/http.ts';
import { at, parseExactly } from '../exact-json.ts';
import { idText } from '../lines.ts';
import type { ApiDescription } from './description.ts';
import { ApiError } from './errors.ts';

export interface PageRecord {
  /** Undefined where the record has none. */
  readonly id: string | undefined;
  readonly value: object;
}

export interface Page {
  readonly records: readonly PageRecord[];
  /** What names the next page; undefined after the last one. */
  readonly next: string | undefined;
}

/**
 * Reads a successful answer. Throws ApiError: `transient` for a body that is no JSON (it was cut off), `data` for one
 * that is not as described.
 * @param cursor what named this page; undefined on the first one
 */
export function readPage(api: ApiDescription, answer: Answer, cursor: string | undefined): Page {
  let body: unknown;
  try {
    body = parseExactly(answer.body);
  } catch (error) {
    throw new ApiError('transient', `the body is no whole JSON (${messageOf(error)})`, {
      status: answer.status,
      cause: error,
    });
  }
  const list = at(body, api.records);
  if (!Array.isArray(list)) {
    const there = body !== null && typeof body === 'object' ? Object.keys(body).slice(0, 10).join(', ') : '';
    throw new ApiError(
      'data',
      `the answer has no list at "${api.records}"${there === '' ? '' : ` (it has ${there})`}; api.records in the settings names the place`,
      { status: answer.status },
    );
  }
  const records = list.map((value: unknown, index): PageRecord => {
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw new ApiError('data', `record ${index + 1} of the page is no JSON object`, {
        status: answer.status,
      });
    return { id: api.id === '' ? undefined : idText(at(value, api.id)), value };
  });
  return { records, next: nextPage(api, body, answer, records, cursor) };
}

function nextPage(
  api: ApiDescription,
  body: unknown,
  answer: Answer,
  records: readonly PageRecord[],
  cursor: string | undefined,
): string | undefined {
  const { page } = api;
  const wrong = (what: string): never => {
    throw new ApiError('data', what, { status: answer.status });
  };
  switch (page.by) {
    case 'cursor': {
      const more = page.more === undefined ? undefined : at(body, page.more);
      if (more === false) return undefined;
      const next =
        page.header === undefined
          ? at(body, page.body ?? 'next_cursor')
          : answer.headers[page.header.toLowerCase()];
      const text = idText(next);
      if (text !== undefined) return text;
      if (next !== undefined && next !== null && next !== '')
        wrong('the next cursor is neither a text nor a number');
      return more === true ? wrong('more pages follow, it says, but it names no next cursor') : undefined;
    }
    case 'last_id': {
      const last = records.at(-1);
      if (last === undefined || (page.more !== undefined && at(body, page.more) === false)) return undefined;
      return last.id ?? wrong(`the last record of the page has no id at "${api.id}" to go on from`);
    }
    case 'link':
      return page.body === undefined ? linkOf(answer.headers) : idText(at(body, page.body));
    default: {
      if (records.length === 0 || (page.more !== undefined && at(body, page.more) === false))
        return undefined;
      const here = cursor === undefined ? page.first : Number(cursor);
      return String(page.by === 'offset' ? here + records.length : here + 1);
    }
  }
}

/** The `next` of a Link header (RFC 8288); undefined when there is none. */
function linkOf(headers: IncomingHttpHeaders): string | undefined {
  const header = [headers.link ?? []].flat().join(', ');
  for (const [, url = '', parameters = ''] of header.matchAll(/<([^>]*)>((?:\s*;\s*[^,;]+)*)/g))
    if (/;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters)) return url;
  return undefined;
}
