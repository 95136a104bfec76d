// The server beside a running mover: probes and metrics, and the page where its maker is handed in.
import { type Health, type HealthServer, type PageHandler, startHealthServer } from '../core/http.ts';
import { formatDuration } from '../core/units.ts';
import type { Mover } from './mover.ts';
import type { FilesSettings } from './settings.ts';
import type { FilesSnapshot } from './snapshot.ts';

/** Makes the page for a mover; loaded only where there is a server. */
export type OpenPage = (
  mover: Mover,
  settings: FilesSettings,
) => Promise<{ readonly handle: PageHandler; close(): void }>;

/** No loop turned for so long: the process is wedged, whatever the store does. */
const TURN_OVERDUE_MS = 10 * 60_000;

/** Undefined where nothing is to be served. Rejects with FerryError `config` when the address cannot be used. */
export async function serve(
  settings: FilesSettings,
  mover: Mover,
  openPage: OpenPage | undefined,
): Promise<HealthServer | undefined> {
  // A dry run has nothing to show to probes, and its numbers are of what it would do.
  if (settings.listen === undefined || settings.dryRun) return undefined;
  const colon = settings.listen.lastIndexOf(':');
  const { filesMetrics } = await import('./metrics.ts');
  const { registry } = filesMetrics(() => mover.snapshot());
  const page = settings.page === 'off' ? undefined : await openPage?.(mover, settings);
  try {
    const server = await startHealthServer({
      host: settings.listen.slice(0, colon).replace(/^\[|\]$/g, ''),
      port: Number(settings.listen.slice(colon + 1)),
      metrics: () => registry.metrics(),
      contentType: registry.contentType,
      live: () => liveness(Date.now() - mover.turnedAtMs),
      ready: () => readiness(mover.snapshot()),
      page: page?.handle,
    });
    return {
      ...server,
      async close() {
        page?.close();
        await server.close();
      },
    };
  } catch (error) {
    page?.close();
    throw error;
  }
}

function liveness(quietMs: number): Health {
  return quietMs < TURN_OVERDUE_MS
    ? { ok: true, reason: `The loop turned ${formatDuration(quietMs)} ago.` }
    : { ok: false, reason: `The loop has not turned for ${formatDuration(quietMs)}.` };
}

function readiness({ store, draining }: FilesSnapshot): Health {
  if (draining) return { ok: false, reason: 'Stopping.' };
  if (store === undefined) return { ok: false, reason: 'The store has not been asked yet.' };
  return store.ok
    ? { ok: true, reason: 'The store answers.' }
    : { ok: false, reason: store.message ?? 'The store fails.' };
}
