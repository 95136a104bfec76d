// A proxy as companies run them: it tunnels, and says where to.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { TestContext } from 'node:test';

/** A proxy that tunnels; `targets` lists what it was asked to connect to. Over TLS it would rather speak HTTP/2. */
export async function connectProxy(
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
