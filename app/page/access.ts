// Who may see what: the numbers are for everybody who reaches the address, as the metrics are; names and contents of
// files only for people who are known or who sit at this machine.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** `numbers`: no names, no contents. `none`: the password is missing or wrong. */
export type Access = 'all' | 'numbers' | 'none';

export interface AccessRules {
  readonly mode: 'local' | 'open';
  readonly token: string | undefined;
}

/**
 * With a token that alone decides. Without one, `local` asks where the connection comes from: a port-forward ends at the
 * pod's loopback address. The name in the Host header must be a local one too, or a page elsewhere whose name was made
 * to lead here could read what its visitor may.
 */
export function accessOf(request: IncomingMessage, { mode, token }: AccessRules): Access {
  if (token !== undefined) return presents(request.headers.authorization, token) ? 'all' : 'none';
  if (mode === 'open') return 'all';
  return isLoopback(request.socket.remoteAddress ?? '') && isLocalName(request.headers.host ?? '')
    ? 'all'
    : 'numbers';
}

/** `Bearer TOKEN`, or the password of `Basic`, which every browser asks for by itself. */
function presents(authorization: string | undefined, token: string): boolean {
  const [scheme = '', value = ''] = (authorization ?? '').split(' ', 2);
  let given = '';
  if (/^bearer$/i.test(scheme)) given = value;
  else if (/^basic$/i.test(scheme)) {
    const pair = Buffer.from(value, 'base64').toString('utf8');
    given = pair.slice(pair.indexOf(':') + 1);
  }
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function isLocalName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}
