// The page served beside the metrics: its own files, the status and its live stream, the list of files and their bytes.
// Read-only; no third party; nothing is done while nobody looks but one sample each ten seconds.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import type { PageHandler } from '../core/http.ts';
import type { Mover } from '../files/mover.ts';
import { type Access, type AccessRules, accessOf } from './access.ts';
import { pageFiles } from './assets.ts';
import { createDownloads } from './download.ts';
import { filesOf, parseQuery, pathOfId } from './files-list.ts';
import { createHistory, type History, SAMPLE_EVERY_MS, sampleOf } from './history.ts';
import { createLive } from './live.ts';
import { type PageSettings, statusOf } from './status.ts';

export interface Page {
  readonly handle: PageHandler;
  /** Open pages now. */
  readonly watchers: number;
  close(): void;
}

export interface PageOptions {
  readonly mover: Pick<Mover, 'snapshot' | 'files'>;
  readonly settings: PageSettings;
  readonly access: AccessRules;
  readonly clock: Clock;
  /** Default: an empty one. */
  readonly history?: History;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Scripts and styles from here alone; images only from memory, where a preview puts them. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
  // A browser keeps six connections; the probes need theirs.
  connection: 'close',
};

export function createPage({ mover, settings, access, clock, history = createHistory() }: PageOptions): Page {
  const stop = new AbortController();
  const downloads = createDownloads(mover.files.root);
  const status = (names: boolean) => statusOf(mover.snapshot(), settings, history, mover.files, names);
  const live = createLive(clock, (names) => `data: ${JSON.stringify(status(names))}\n\n`);
  let files: ReturnType<typeof pageFiles> | undefined;

  const sample = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      history.add(sampleOf(mover.snapshot()));
      await clock.sleep(SAMPLE_EVERY_MS, stop.signal);
    }
  };
  void sample();

  const handle: PageHandler = async (request, response) => {
    const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
    files ??= pageFiles();
    const asset = path === '/' ? 'index.html' : /^\/page\/([a-z.]+)$/.exec(path)?.[1];
    const isPage = asset !== undefined && files.has(asset);
    if (!isPage && !path.startsWith('/api/')) return false;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const may = accessOf(request, access);
    if (may === 'none') {
      response.setHeader('www-authenticate', 'Basic realm="Ferry", charset="UTF-8"');
      return answer(request, response, 401, { error: 'This page needs the password of --page-token.' });
    }
    if (isPage) return sendAsset(request, response, asset, files.get(asset) ?? Buffer.alloc(0));
    return api(request, response, path, search, may);
  };

  const api = async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    search: string,
    may: Access,
  ): Promise<boolean> => {
    const names = may === 'all';
    if (path === '/api/status')
      return answer(request, response, 200, { ...status(names), history: history.samples() });
    if (path === '/api/live') {
      if (request.method === 'HEAD') return answer(request, response, 200, {});
      if (!live.join(response, names))
        return answer(request, response, 503, { error: 'Too many pages are open already.' });
      return true;
    }
    if (!names) return answer(request, response, 403, { error: NUMBERS_ONLY });
    if (path === '/api/files') {
      const query = parseQuery(new URLSearchParams(search));
      if (typeof query === 'string') return answer(request, response, 400, { error: query });
      return answer(request, response, 200, await filesOf(mover.files, query));
    }
    const id = /^\/api\/file\/(.+)$/.exec(path)?.[1];
    const file = id === undefined ? undefined : pathOfId(id);
    const sent = file === undefined ? 'absent' : await downloads.send(request, response, file);
    if (sent === 'absent')
      return answer(request, response, 404, { error: 'There is no such file, or it may not be read.' });
    if (sent === 'busy')
      return answer(request, response, 503, { error: 'Too many downloads at once; try again.' });
    return true;
  };

  return {
    handle,
    get watchers() {
      return live.watchers;
    },
    close() {
      stop.abort();
      live.close();
    },
  };
}

const NUMBERS_ONLY =
  'From here the page shows numbers only. Names and contents of files are shown over 127.0.0.1 ' +
  '(kubectl port-forward leads there), with --page-token, or to everybody with --page open.';

function answer(request: IncomingMessage, response: ServerResponse, status: number, body: object): true {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
  return true;
}

function sendAsset(request: IncomingMessage, response: ServerResponse, name: string, zipped: Buffer): true {
  const etag = `"${createHash('sha256').update(zipped).digest('hex').slice(0, 20)}"`;
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return true;
  }
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = takesGzip ? zipped : gunzipSync(zipped);
  response.writeHead(200, {
    'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'content-length': body.length,
    ...(takesGzip && { 'content-encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  return true;
}
