// Giving out a file's bytes: whole or a range, never as something a browser would run, and never more at a time than
// leaves room for the mover.
import { closeSync, createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type OpenFile, openBelow } from '../files/open-below.ts';
import { type BytePath, baseOf, toText } from '../files/paths.ts';

/** From the first byte to the last, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const DOWNLOADS_MAX = 8;
/** A reader that takes nothing for so long is gone: its descriptor would keep a freed file's blocks. */
const STALLED_MS = 60_000;

export interface Downloads {
  /** Resolves when everything was given out or the reader has left. */
  send(
    request: IncomingMessage,
    response: ServerResponse,
    path: BytePath,
  ): Promise<'sent' | 'absent' | 'busy'>;
}

export function createDownloads(root: BytePath): Downloads {
  let running = 0;
  return {
    async send(request, response, path) {
      if (running >= DOWNLOADS_MAX) return 'busy';
      const file = openBelow(root, path);
      if (!file) return 'absent';
      running += 1;
      try {
        await give(request, response, file, path);
      } finally {
        running -= 1;
      }
      return 'sent';
    },
  };
}

async function give(
  request: IncomingMessage,
  response: ServerResponse,
  { fd, stat }: OpenFile,
  path: BytePath,
): Promise<void> {
  const etag = `"${stat.ino}-${stat.size}-${stat.mtimeMs}-${stat.ctimeMs}"`;
  const condition = request.headers['if-range'];
  const unchanged = condition === undefined || condition === etag;
  const range = unchanged ? parseRange(request.headers.range, stat.size) : undefined;
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  if (range === 'unsatisfiable') {
    closeSync(fd);
    response.writeHead(416, { 'content-range': `bytes */${stat.size}`, 'content-length': 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: stat.size - 1 };
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-disposition': disposition(path),
    'content-length': end - start + 1,
    'last-modified': stat.mtime.toUTCString(),
    ...(range && { 'content-range': `bytes ${start}-${end}/${stat.size}` }),
  });
  if (request.method === 'HEAD' || end < start) {
    closeSync(fd);
    response.end();
    return;
  }
  response.setTimeout(STALLED_MS, () => response.destroy());
  try {
    await pipeline(createReadStream('', { fd, start, end, highWaterMark: 64 * 1024 }), response);
  } catch {
    // The reader left, or the file shrank below what was announced: the connection says so by its early end.
    response.destroy();
  }
}

/** One range of RFC 9110, section 14; several at once, or nonsense, count as none. */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return start >= sizeBytes || end < start ? 'unsatisfiable' : { start, end };
}

/** RFC 6266: the name as text for old and new clients, whatever bytes it holds. */
function disposition(path: BytePath): string {
  const name = toText(baseOf(path));
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
