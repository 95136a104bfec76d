// Through a proxy and past it, with certificates that are vouched for and not: real tunnels, real TLS.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { openS3Store } from '../../../app/core/s3/store.ts';
import { connectProxy } from '../../support/s3/connect-proxy.ts';
import { startS3Server } from '../../support/s3/server.ts';
import { selfSigned } from '../../support/s3/tls.ts';

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
