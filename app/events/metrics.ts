// What a run of `ferry events` tells Prometheus while it works: one table, read off the run's counts at each scrape. The
// labels are closed sets; types and days are in the seals, where `ferry events status` finds them.
import { type Metric, type Metrics, metricsOf, processMetrics, series } from '../core/metrics.ts';
import type { Failure } from './failures.ts';
import type { UnitDone } from './unit.ts';

/** What a run knows about itself at one instant. */
export interface EventsSnapshot {
  readonly startedAtMs: number;
  /** Undefined until the stores are listed. */
  readonly planned: number | undefined;
  readonly outcomes: ReadonlyMap<UnitDone['outcome'], number>;
  readonly failures: ReadonlyMap<Failure['exit'], number>;
  readonly records: number;
  readonly duplicates: number;
  readonly pages: number;
  readonly retries: number;
  readonly lastPageAtMs: number | undefined;
  /** Requests at once that the API seems to bear, and those under way. */
  readonly parallel: number;
  readonly inFlight: number;
}

const OUTCOMES: Readonly<Record<UnitDone['outcome'], 0>> = {
  sealed: 0,
  revised: 0,
  unchanged: 0,
  outrun: 0,
  unknown: 0,
};
const FAILURES = { transient: 0, data: 0, store: 0, config: 0, internal: 0 } as const;

type Entry = Metric<EventsSnapshot>;
type Read = Entry['read'];

function metric(type: Entry['type'], name: string, help: string, read: Read, label?: string): Entry {
  return { name: `ferry_events_${name}`, type, help, read, ...(label === undefined ? {} : { label }) };
}

const TABLE: readonly Entry[] = [
  metric(
    'gauge',
    'planned_type_days',
    'Days of event types that this run works on. Absent until the store is listed.',
    (s) => s.planned,
  ),
  metric(
    'counter',
    'finished_type_days_total',
    'Days of event types that ended well. sealed: for the first time. revised: other content than sealed before. unchanged: the same. outrun: sealed by another worker. unknown: sealed, and the role cannot tell with what.',
    (s) => series('outcome', OUTCOMES, s.outcomes),
    'outcome',
  ),
  metric(
    'counter',
    'failed_type_days_total',
    'Days of event types that failed, by what must be mended: transient mends itself with the next run. Which and why: ferry events status.',
    (s) => series('kind', FAILURES, s.failures),
    'kind',
  ),
  metric('counter', 'records_total', 'Records pulled, repeats left out.', (s) => s.records),
  metric(
    'counter',
    'duplicates_total',
    'Records that came again because a page edge moved; each was left out.',
    (s) => s.duplicates,
  ),
  metric('counter', 'pages_total', 'Pages the API gave.', (s) => s.pages),
  metric(
    'counter',
    'retries_total',
    'Requests that are tried again: 502, 429, network, timeouts, bodies cut off.',
    (s) => s.retries,
  ),
  metric('gauge', 'requests_in_flight', 'Requests to the API under way.', (s) => s.inFlight),
  metric(
    'gauge',
    'requests_limit',
    'Requests at once that the API seems to bear; halved when it pushes back.',
    (s) => s.parallel,
  ),
  metric(
    'gauge',
    'last_page_timestamp_seconds',
    'Unix time when the API last gave a page; 0 before the first. Old while requests are in flight: the API hangs.',
    (s) => (s.lastPageAtMs ?? 0) / 1_000,
  ),
  ...processMetrics<EventsSnapshot>(),
];

export function eventsMetrics(snapshot: () => EventsSnapshot): Metrics {
  return metricsOf('ferry_events', TABLE, snapshot);
}
