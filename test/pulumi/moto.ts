// AWS's API without AWS: moto's server on a free port, behind a relay that a test can cut in the middle of a run.
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { until } from '../support/temp.ts';

export interface Moto {
  /** Of the relay. */
  readonly endpoint: string;
  /** From the first request on that this says yes to, every connection breaks; undefined mends it. */
  breakAt(when: ((request: IncomingMessage) => boolean) | undefined): void;
  /** Requests are authorized from now on: actions and resources of IAM policies, no conditions. */
  authorize(): Promise<void>;
  /** Nobody is asked who they are any more. */
  trustAll(): Promise<void>;
}

/** Requests that moto lets through before it asks who somebody is; this many are no limit. */
const NO_LIMIT = 'inf';
const START_DEADLINE_MS = 60_000;

/**
 * moto forgets the sizes in a lifecycle rule, and the provider waits for them. So the relay keeps each configuration as
 * it was sent, once moto has taken it, and answers with that.
 */
function lifecycle(
  rules: Map<string, Buffer>,
  method: string,
  url: string,
  status: number,
  sent: Buffer,
): Buffer | undefined {
  const [path = '', query = ''] = url.split('?');
  const bucket = path.replaceAll('/', '');
  if (!/^lifecycle(=|&|$)/.test(query) || status >= 300) return undefined;
  if (method === 'PUT') rules.set(bucket, sent);
  if (method === 'DELETE') rules.delete(bucket);
  return method === 'GET' ? rules.get(bucket) : undefined;
}

export async function startMoto(t: Pick<TestContext, 'after'>): Promise<Moto> {
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let port = 0;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
      if (port === 0) port = Number(/Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1] ?? 0);
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let breaks: ((request: IncomingMessage) => boolean) | undefined;
  let broken = false;
  const rules = new Map<string, Buffer>();
  const relay = createServer(async (incoming, outgoing) => {
    broken ||= breaks?.(incoming) ?? false;
    if (broken) {
      incoming.socket.destroy();
      return;
    }
    const { method, url = '/' } = incoming;
    const sent = await buffer(incoming);
    const headers = { ...incoming.headers, 'content-length': String(sent.length) };
    const on = request({ host: '127.0.0.1', port, method, path: url, headers }, async (answer) => {
      const got = await buffer(answer);
      const kept = lifecycle(rules, `${method}`, url, answer.statusCode ?? 0, sent) ?? got;
      const { 'transfer-encoding': _, ...others } = answer.headers;
      const length = method === 'HEAD' ? {} : { 'content-length': String(kept.length) };
      outgoing.writeHead(answer.statusCode ?? 502, { ...others, ...length });
      outgoing.end(method === 'HEAD' ? undefined : kept);
    });
    on.on('error', () => incoming.socket.destroy());
    on.end(sent);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    relay.closeAllConnections();
    relay.close();
    child.kill('SIGKILL');
    await ended;
  });
  await until(() => port !== 0, `moto listens: ${output}`, START_DEADLINE_MS);
  // A TCP server that listens has an address with a port.
  const endpoint = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const resetAuth = async (after: string): Promise<void> => {
    const answer = await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body: after });
    if (!answer.ok) throw new Error(`moto refuses: ${await answer.text()}`);
  };
  return {
    endpoint,
    breakAt(when) {
      breaks = when;
      broken = false;
    },
    authorize: () => resetAuth('0'),
    trustAll: () => resetAuth(NO_LIMIT),
  };
}
