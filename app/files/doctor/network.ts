// `ferry doctor` on the way to the endpoint: proxy or not, name, address, TCP, TLS; the first step that fails is named.
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { errnoOf, messageOf } from '../../core/errors.ts';
import { type ProxyChoice, proxyFor } from '../../core/s3/http.ts';
import { formatDuration } from '../../core/units.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** For each step; a machine that needs longer to connect is as good as unreachable. */
const STEP_TIMEOUT_MS = 5_000;

export interface Reach {
  readonly findings: readonly Finding[];
  readonly reachable: boolean;
}

/** Goes the way every request will go. `ca`: PEM that replaces the built-in authorities. */
export async function checkNetwork(
  origin: string,
  env: NodeJS.ProcessEnv,
  ca: string | undefined,
  nowMs: number,
): Promise<Reach> {
  const target = new URL(origin);
  const chosen = proxyFor(origin, env);
  const bypassed = chosen !== undefined && bypassesProxy(target, chosen.noProxy);
  const proxy = chosen !== undefined && !bypassed ? parseProxy(chosen) : undefined;
  if (proxy === 'wrong') {
    const finding = fail(
      'network.proxy',
      'The proxy that the environment names is no URL.',
      'Write HTTPS_PROXY (HTTP_PROXY for http endpoints) as http://host:port.',
    );
    return { findings: [finding], reachable: false };
  }
  const findings: Finding[] = [];
  if (proxy) findings.push(ok('network.proxy', `Requests go through the proxy ${proxy.host}.`));
  else if (bypassed)
    findings.push(ok('network.proxy', `${target.host} is reached without the proxy (NO_PROXY).`));
  else findings.push(ok('network.proxy', 'No proxy is in use.'));
  const steps = await checkHop(
    proxy ?? target,
    proxy ? undefined : ca,
    nowMs,
    proxy ? 'the proxy' : 'the endpoint',
  );
  findings.push(...steps);
  return { findings, reachable: steps.every(({ level }) => level !== 'fail') };
}

function parseProxy(choice: ProxyChoice): URL | 'wrong' {
  return URL.parse(choice.url.includes('://') ? choice.url : `http://${choice.url}`) ?? 'wrong';
}

/**
 * Whether NO_PROXY names this host: exactly, by a domain above it (`*.` stands for what is below it only), with a port,
 * or by `*`. As undici reads it, which carries the requests.
 */
export function bypassesProxy(target: URL, noProxy: string): boolean {
  const host = bare(target.hostname).toLowerCase().replace(/\.$/, '');
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      // A bare IPv6 address has several colons and no port.
      const [, name = entry, port] = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
      if (port !== undefined && port !== portOf(target)) return false;
      if (name === '*') return true;
      const domain = bare(name).replace(/^\*?\./, '');
      return host.endsWith(`.${domain}`) || (host === domain && !name.startsWith('*'));
    });
}

const portOf = (url: URL) => url.port || (url.protocol === 'https:' ? '443' : '80');
const bare = (hostname: string) => hostname.replace(/^\[|\]$/g, '');

async function checkHop(url: URL, ca: string | undefined, nowMs: number, what: string): Promise<Finding[]> {
  const host = bare(url.hostname);
  const port = Number(portOf(url));
  const findings: Finding[] = [];
  let address = host;
  if (isIP(host) === 0) {
    try {
      const found = await within(lookup(host, { all: true }));
      address = found[0]?.address ?? host;
      findings.push(
        ok(
          'network.dns',
          `${host} is ${found
            .map((one) => one.address)
            .slice(0, 3)
            .join(', ')}.`,
        ),
      );
    } catch (error) {
      const remedy = `Check the endpoint's spelling and this machine's DNS; behind a proxy set HTTPS_PROXY.`;
      findings.push(
        fail('network.dns', `The name of ${what}, ${host}, has no address: ${reason(error)}.`, remedy),
      );
      return findings;
    }
  }
  let socket: Socket;
  try {
    socket = await within(opened(connect({ host: address, port }), 'connect'));
    findings.push(ok('network.tcp', `${address}:${port} accepts connections.`));
  } catch (error) {
    findings.push(
      fail(
        'network.tcp',
        `${what} at ${address}:${port} cannot be reached: ${reason(error)}.`,
        'Check firewalls, security groups, network policies and the VPC endpoint; behind a proxy set HTTPS_PROXY.',
      ),
    );
    return findings;
  }
  if (url.protocol !== 'https:') {
    socket.destroy();
    return findings;
  }
  try {
    const secure = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca ? { ca } : {}),
    });
    await within(opened(secure, 'secureConnect'));
    findings.push(judgeCertificate(host, secure, nowMs));
    secure.destroy();
  } catch (error) {
    socket.destroy();
    findings.push(
      fail(
        'network.tls',
        `TLS with ${host}:${port} fails: ${reason(error)}.`,
        reason(error) === 'ERR_TLS_CERT_ALTNAME_INVALID'
          ? 'The certificate is for another name: use that name in --endpoint, or --path-style for a bucket with dots.'
          : 'For a private authority or an inspecting proxy, give its certificate in AWS_CA_BUNDLE (and NODE_EXTRA_CA_CERTS).',
      ),
    );
  }
  return findings;
}

function judgeCertificate(host: string, socket: TLSSocket, nowMs: number): Finding {
  const untilMs = Date.parse(socket.getPeerCertificate().valid_to);
  const leftMs = untilMs - nowMs;
  const left = Number.isFinite(leftMs) ? formatDuration(Math.max(0, leftMs)) : 'an unknown time';
  if (leftMs < 7 * 86_400_000) {
    return warn('network.tls', `The certificate of ${host} ends in ${left}.`, 'Have it renewed.');
  }
  return ok('network.tls', `TLS with ${host} works; its certificate is valid for ${left}.`);
}

function opened<T extends Socket>(socket: T, event: 'connect' | 'secureConnect'): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer within ${formatDuration(STEP_TIMEOUT_MS)}`)),
      STEP_TIMEOUT_MS,
    );
    socket.once('close', () => clearTimeout(timer));
    socket.once('error', reject);
    socket.once(event, () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** A lookup cannot be stopped, only left. */
function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${formatDuration(STEP_TIMEOUT_MS)}`);
    timer = setTimeout(() => reject(error), STEP_TIMEOUT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const reason = (error: unknown) => errnoOf(error) ?? messageOf(error);
