// A null S3: discards bodies, answers PUT and LIST correctly. What a client costs shows best against a server that costs
// nothing else. Runs as a process of its own: `node bench/null-s3.ts PORT`.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

interface NullObject {
  readonly etag: string;
  readonly size: number;
}

const objects = new Map<string, NullObject>();
const counts: Record<string, number> = {};
let sorted: string[] | undefined;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function listing(url: URL): string {
  const prefix = url.searchParams.get('prefix') ?? '';
  const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? '';
  const max = Math.min(1_000, Number(url.searchParams.get('max-keys') ?? 1_000));
  const encode = url.searchParams.get('encoding-type') === 'url' ? encodeURIComponent : escape;
  sorted ??= [...objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  let low = 0;
  let high = sorted.length;
  const floor = after > prefix ? after : prefix;
  while (low < high) {
    const middle = (low + high) >> 1;
    const key = sorted[middle] ?? '';
    if (key < floor || key === after) low = middle + 1;
    else high = middle;
  }
  const keys: string[] = [];
  for (let at = low; at < sorted.length && keys.length <= max; at += 1) {
    const key = sorted[at] ?? '';
    if (!key.startsWith(prefix)) break;
    keys.push(key);
  }
  const more = keys.length > max;
  const page = keys.slice(0, max);
  const contents = page.map((key) => {
    const object = objects.get(key);
    return (
      `<Contents><Key>${encode(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
      `<ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.size}</Size><StorageClass>STANDARD</StorageClass></Contents>`
    );
  });
  const token = more ? `<NextContinuationToken>${encode(page.at(-1) ?? '')}</NextContinuationToken>` : '';
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>bench</Name><Prefix>${encode(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${max}</MaxKeys>` +
    `<IsTruncated>${more}</IsTruncated>${encode === encodeURIComponent ? '<EncodingType>url</EncodingType>' : ''}` +
    `${token}${contents.join('')}</ListBucketResult>`
  );
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const url = new URL(request.url ?? '/', 'http://null');
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
  const method = request.method ?? '';
  counts[method] = (counts[method] ?? 0) + 1;
  if (method === 'PUT' && key !== '') {
    const hash = createHash('md5');
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      size += chunk.length;
    });
    request.on('end', () => {
      const etag = hash.digest('hex');
      if (request.headers['if-none-match'] === '*' && objects.has(key)) {
        counts['412'] = (counts['412'] ?? 0) + 1;
        response.writeHead(412, { 'content-type': 'application/xml' });
        response.end('<?xml version="1.0"?><Error><Code>PreconditionFailed</Code><Message>taken</Message></Error>');
        return;
      }
      if (!objects.has(key)) sorted = undefined;
      objects.set(key, { etag, size });
      response.writeHead(200, { etag: `"${etag}"`, 'content-length': 0 });
      response.end();
    });
    return;
  }
  request.resume();
  request.on('end', () => {
    if (url.pathname === '/-/counts') {
      response.end(JSON.stringify({ ...counts, objects: objects.size }));
    } else if (url.pathname === '/-/reset') {
      if (url.searchParams.get('keep') === null) {
        objects.clear();
        sorted = undefined;
      }
      for (const name of Object.keys(counts)) delete counts[name];
      response.end();
    } else if (method === 'GET' && key === '') {
      response.setHeader('content-type', 'application/xml');
      response.end(url.searchParams.has('location') ? '<LocationConstraint/>' : listing(url));
    } else if (method === 'HEAD') {
      const object = objects.get(key);
      response.writeHead(key === '' || object ? 200 : 404, object ? { etag: `"${object.etag}"`, 'content-length': object.size } : {});
      response.end();
    } else {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>not here</Message></Error>');
    }
  });
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
});
