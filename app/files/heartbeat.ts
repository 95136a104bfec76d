// The heartbeat: a URL called while all is well, so that somebody outside notices when it is not called any more, even
// if this machine is gone and with it everything that could have raised an alert.
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type Exchange, exchange, openTransport, proxyFor } from '../core/s3/http.ts';
import type { FilesSettings } from './settings.ts';
import type { FilesSnapshot } from './snapshot.ts';

const EVERY_MS = 60_000;
const TIMEOUT_MS = 10_000;

/**
 * Whether everything that arrived was proved within the time: no file waits longer, and the source was looked through
 * that lately, so that no file waits unseen.
 */
export function isWell(now: FilesSnapshot, withinMs: number): boolean {
  const walkAgeMs = now.atMs - (now.lastWalkAtMs ?? Number.NEGATIVE_INFINITY);
  return walkAgeMs <= withinMs && (now.oldestUnprovedAgeMs ?? 0) <= withinMs;
}

export interface HeartbeatOptions {
  readonly settings: Pick<FilesSettings, 'heartbeatUrl' | 'heartbeatWithinMs'>;
  readonly snapshot: () => FilesSnapshot;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Beats once a minute until the signal aborts. Never rejects: a heartbeat that fails is told and tried again. */
export async function beat(options: HeartbeatOptions): Promise<void> {
  const { settings, snapshot, clock, signal } = options;
  if (settings.heartbeatUrl === undefined) return;
  while (!signal.aborted) {
    if (isWell(snapshot(), settings.heartbeatWithinMs)) await beatOnce(options);
    await clock.sleep(EVERY_MS, signal);
  }
}

/** One call, whatever the snapshot says. Never rejects. */
export async function beatOnce({
  settings,
  log,
  env,
  signal,
}: Pick<HeartbeatOptions, 'settings' | 'log' | 'env' | 'signal'>): Promise<void> {
  if (settings.heartbeatUrl === undefined) return;
  const { origin, pathname } = new URL(settings.heartbeatUrl);
  const transport = await openTransport({
    origin,
    maxSockets: 1,
    connectTimeoutMs: TIMEOUT_MS,
    ca: undefined,
    proxy: proxyFor(origin, env),
  });
  const request: Pick<Exchange, 'method' | 'path' | 'headers' | 'body'> = {
    method: 'GET',
    path: pathname,
    headers: [],
    body: null,
  };
  try {
    const limits = { timeoutMs: TIMEOUT_MS, maxAnswerBytes: 65_536 };
    const { status } = await exchange(transport, origin, { ...request, ...limits }, signal);
    if (status >= 300) log.warn(`the heartbeat was answered with status ${status}`, { origin });
  } catch (error) {
    if (!signal.aborted) log.warn(`the heartbeat could not be sent: ${messageOf(error)}`, { origin });
  } finally {
    await transport.destroy();
  }
}
