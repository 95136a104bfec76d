// Through a proxy and past it, with certificates that are vouched for and not: real tunnels, real TLS.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openS3Store } from '../../../app/core/s3/store.ts';
import { startS3Server } from '../../support/s3/server.ts';
import { selfSigned } from '../../support/s3/tls.ts';

/** A proxy that tunnels; `targets` lists what it was asked to connect to. Over TLS it would rather speak HTTP/2. */
async function connectProxy(
  t: TestContext,
  tls?: { readonly key: string; readonly cert: string },
): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = [];
  const server = tls ? createTlsServer({ ...tls, ALPNProtocols: ['h2', 'http/1.1'] }) : createServer();
  server.on('request', (_, response) => response.writeHead(405).end());
  server.on('connect', (request, socket, head) => {
    targets.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        socket.destroy();
        onward.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server's address is never a text or null.
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}

for (const [name, noProxy, proxied, overTls] of [
  ['HTTPS_PROXY carries writes, listings and reads', '', true, false],
  ['a proxy over TLS that offers HTTP/2 carries writes and listings', '', true, true],
  ['NO_PROXY goes past the proxy', 'localhost,127.0.0.1', false, false],
] as const) {
  test(`${name}, with a certificate of AWS_CA_BUNDLE`, async (t) => {
    const tls = await selfSigned(t);
    if (!tls) return t.skip('needs openssl');
    const server = await startS3Server({ tls });
    const proxy = await connectProxy(t, overTls ? tls : undefined);
    const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: noProxy, AWS_CA_BUNDLE: tls.certFile };
    const store = await openS3Store({
      bucket,
      prefix: '',
      endpoint,
      region,
      credentials,
      mayRead: true,
      env,
    });
    t.after(async () => {
      await store.close();
      await server.close();
    });
    assert.equal((await store.put('a', Buffer.from('x'), hash('sha256', 'x', 'hex'))).outcome, 'created');
    assert.equal((await store.list('', '')).objects.length, 1);
    const tunnels = proxy.targets.length;
    assert.equal(tunnels > 0, proxied);
    // The AWS SDK reads; to a proxy over TLS it takes the authorities of Node's own settings alone.
    if (!overTls) {
      assert.equal((await store.head('a'))?.sizeBytes, 1);
      assert.equal(proxy.targets.length > tunnels, proxied);
    }
    assert.deepEqual(new Set(proxy.targets), new Set(proxied ? [new URL(endpoint).host] : []));
  });
}

test('a certificate nobody vouches for is a network fault, nothing is sent', async (t) => {
  const tls = await selfSigned(t);
  if (!tls) return t.skip('needs openssl');
  const server = await startS3Server({ tls });
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const store = await openS3Store({ bucket, prefix: '', endpoint, region, credentials, env: {} });
  t.after(async () => {
    await store.close();
    await server.close();
  });
  await assert.rejects(store.list('', ''), /got no answer: self-signed certificate/);
  assert.equal(server.requests.length, 0);
});
