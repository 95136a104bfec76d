import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type HealthServerOptions, startHealthServer } from '../../app/core/http.ts';

async function start(t: TestContext, over: Partial<HealthServerOptions> = {}) {
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => 'ferry_up 1\n',
    contentType: 'text/plain; version=0.0.4',
    live: () => ({ ok: true, reason: 'the loop turns' }),
    ready: () => ({ ok: true, reason: 'ready' }),
    ...over,
  });
  t.after(() => server.close());
  return server;
}

test('the metrics are served with their content type', async (t) => {
  const server = await start(t);
  const response = await fetch(`http://${server.address}/metrics?x=1`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  assert.equal(await response.text(), 'ferry_up 1\n');
});

test('a probe that is not ok answers 503 and says why', async (t) => {
  const server = await start(t, { ready: () => ({ ok: false, reason: 'the first walk has not ended' }) });
  const ready = await fetch(`http://${server.address}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), { ok: false, reason: 'the first walk has not ended' });
  assert.equal((await fetch(`http://${server.address}/livez`)).status, 200);
});

test('anything else is not found, and nothing can be written', async (t) => {
  const server = await start(t);
  assert.equal((await fetch(`http://${server.address}/`)).status, 404);
  const posted = await fetch(`http://${server.address}/metrics`, { method: 'POST', body: 'x' });
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.get('allow'), 'GET, HEAD');
});

test('HEAD answers the length and no body', async (t) => {
  const server = await start(t);
  const response = await fetch(`http://${server.address}/metrics`, { method: 'HEAD' });
  assert.equal(response.headers.get('content-length'), '11');
  assert.equal(await response.text(), '');
});

test('a metric that cannot be collected fails the scrape, not the process', async (t) => {
  const server = await start(t, { metrics: () => Promise.reject(new Error('no snapshot')) });
  const response = await fetch(`http://${server.address}/metrics`);
  assert.equal(response.status, 500);
  assert.match(await response.text(), /no snapshot/);
});

test('close ends idle kept-alive connections and requests in the middle, and may be called twice', async (t) => {
  const server = await start(t);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const idle = request({ agent, host: '127.0.0.1', port: server.port, path: '/livez' });
  idle.end();
  const [response] = await once(idle, 'response');
  response.resume();
  await once(response, 'end');
  const halfway = connect(server.port, '127.0.0.1');
  halfway.on('error', () => {});
  await once(halfway, 'connect');
  halfway.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
  const ended = new Promise((resolve) => halfway.once('close', resolve));
  await Promise.all([server.close(), server.close(), ended]);
  await assert.rejects(fetch(`http://${server.address}/livez`));
});

test('a port that is taken is an error of the settings with a remedy', async (t) => {
  const first = await start(t);
  await assert.rejects(start(t, { port: first.port }), {
    name: 'FerryError',
    exit: 'config',
    message: /another process listens there/,
    remedy: /--listen/,
  });
});

test('an address this machine does not have is an error of the settings with a remedy', async (t) => {
  await assert.rejects(start(t, { host: '203.0.113.7' }), { exit: 'config', message: /no such address/ });
});
