// The server beside a run: its metrics, for as long as it lasts.
import type { Clock } from '../core/clock.ts';
import { type HealthServer, startHealthServer } from '../core/http.ts';
import type { EventsSnapshot } from './metrics.ts';
import type { Counts } from './run.ts';

/** @param listen `host:port`. Rejects with FerryError `config` when the address cannot be used. */
export async function serveMetrics(listen: string, counts: Counts, clock: Clock): Promise<HealthServer> {
  const startedAtMs = clock.now();
  // A run that serves nothing loads nothing of it.
  const { eventsMetrics } = await import('./metrics.ts');
  const { registry } = eventsMetrics(() => snapshotOf(counts, startedAtMs));
  const colon = listen.lastIndexOf(':');
  return startHealthServer({
    host: listen.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(listen.slice(colon + 1)),
    metrics: () => registry.metrics(),
    contentType: registry.contentType,
    live: () => ({ ok: true, reason: 'The run goes on.' }),
    ready: () => ({ ok: true, reason: 'The run goes on.' }),
  });
}

function snapshotOf(counts: Counts, startedAtMs: number): EventsSnapshot {
  return { ...counts, startedAtMs, parallel: counts.parallel(), inFlight: counts.inFlight() };
}
