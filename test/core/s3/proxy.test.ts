// Through a proxy and past it, with certificates that are vouched for and not: real tunnels, real TLS.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { openS3Store } from '../../../app/core/s3/store.ts';
import { startS3Server } from '../../support/s3/server.ts';
import { tempDir } from '../../support/temp.ts';

/** A key and a certificate for 127.0.0.1; undefined without openssl. */
async function certificate(t: TestContext): Promise<{ key: string; cert: string; file: string } | undefined> {
  const directory = await tempDir(t);
  const [keyFile, file] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  args.push(
    '-subj',
    '/CN=ferry-test',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    keyFile,
    '-out',
    file,
  );
  try {
    await promisify(execFile)('openssl', args);
  } catch {
    return undefined;
  }
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(file, 'utf8'), file };
}

/** A proxy that tunnels; `targets` lists what it was asked to connect to. */
async function connectProxy(t: TestContext): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = [];
  const server = createServer((_, response) => response.writeHead(405).end());
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}

for (const [name, noProxy, proxied] of [
  ['HTTPS_PROXY carries writes, listings and reads', '', true],
  ['NO_PROXY goes past the proxy', 'localhost,127.0.0.1', false],
] as const) {
  test(`${name}, with a certificate of AWS_CA_BUNDLE`, async (t) => {
    const tls = await certificate(t);
    if (!tls) return t.skip('needs openssl');
    const server = await startS3Server({ tls });
    const proxy = await connectProxy(t);
    const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: noProxy, AWS_CA_BUNDLE: tls.file };
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
    assert.equal((await store.head('a'))?.sizeBytes, 1);
    assert.equal(proxy.targets.length > tunnels, proxied);
    assert.deepEqual(new Set(proxy.targets), new Set(proxied ? [new URL(endpoint).host] : []));
  });
}

test('a certificate nobody vouches for is a network fault, nothing is sent', async (t) => {
  const tls = await certificate(t);
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
