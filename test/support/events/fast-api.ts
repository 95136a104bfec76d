// An events API that costs next to nothing, as a process of its own: `node fast-api.ts RECORDS` prints its port. Every day
// of every type has so many records of about 300 bytes.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const count = Number(process.argv[2]);
const REST =
  '","object":"event","api_version":"2026-10-01","created":1795132800,"livemode":false,"pending_webhooks":0,"amount":12345,' +
  '"currency":"eur","description":"a description of usual length","metadata":{"order":"A-1024","channel":"web"},' +
  '"request":{"idempotency_key":"5f2c0d1e-7a77-4c39-9a1b-0a5d3c1f2e4b"}}';

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', () => {
    const {
      type,
      limit,
      cursor = '0',
    } = JSON.parse(text) as { type: string; limit: number; cursor?: string }; // the mover's
    const from = Number(cursor);
    const to = Math.min(count, from + limit);
    const records: string[] = [];
    for (let index = from; index < to; index += 1) records.push(`{"id":"${type}_${index}${REST}`);
    const next = to < count ? `"${to}"` : 'null';
    response.end(`{"data":[${records.join(',')}],"next_cursor":${next}}`);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  // A listening TCP server's address is never a text or null.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
