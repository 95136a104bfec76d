// A Prometheus registry read off one snapshot at the moment of the scrape: the mover keeps counting in its snapshot
// alone, and nothing here is updated between scrapes.
import process from 'node:process';
import { Counter, Gauge, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };

/** One line of a table in the docs. */
export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

/** Labels and value of each series of one metric. */
export type Series = readonly (readonly [labels: Record<string, string>, value: number])[];

export interface Metric<Snapshot> extends MetricDescription {
  readonly label?: string;
  /** Undefined: not known yet, so the series is absent rather than wrong. */
  readonly read: (snapshot: Snapshot) => number | Series | undefined;
}

export interface Metrics {
  readonly registry: Registry;
  /** Every metric there is, in the order of the table. */
  describe(): MetricDescription[];
}

/** Series of the known values exist at 0 before the first event; others appear when they happen. */
export function series(
  label: string,
  known: Readonly<Record<string, 0>>,
  counts: ReadonlyMap<string, number>,
): Series {
  const all = new Map<string, number>([...Object.entries(known), ...counts]);
  return [...all].map(([value, count]) => [{ [label]: value }, count]);
}

/** What every process says of itself. */
export function processMetrics<Snapshot extends { readonly startedAtMs: number }>(): Metric<Snapshot>[] {
  return [
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Unix time when this process started.',
      read: ({ startedAtMs }) => startedAtMs / 1_000,
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time this process has used, user and system.',
      read: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory this process holds (resident set).',
      read: () => process.memoryUsage.rss(),
    },
  ];
}

/** A registry that reads one snapshot per scrape. @param prefix of the mover's metrics: `ferry_files` */
export function metricsOf<Snapshot>(
  prefix: string,
  table: readonly Metric<Snapshot>[],
  snapshot: () => Snapshot,
): Metrics {
  const registry = new Registry();
  const read = oncePerTurn(snapshot);
  for (const metric of table) register(registry, metric, read);
  const build = {
    name: `${prefix}_build_info`,
    type: 'gauge',
    help: 'Always 1; the labels name the version of Ferry and of Node.js.',
  } as const;
  new Gauge({ ...build, labelNames: ['version', 'node'], registers: [registry] }).set(
    { version: packageJson.version, node: process.versions.node },
    1,
  );
  return {
    registry,
    describe: () => [...table, build].map(({ name, type, help }) => ({ name, type, help })),
  };
}

/** prom-client collects all metrics of a scrape in one turn of the loop: they share one snapshot. */
function oncePerTurn<Snapshot>(snapshot: () => Snapshot): () => Snapshot {
  let current: Snapshot | undefined;
  return () => {
    if (current === undefined) {
      current = snapshot();
      queueMicrotask(() => {
        current = undefined;
      });
    }
    return current;
  };
}

function register<Snapshot>(registry: Registry, metric: Metric<Snapshot>, snapshot: () => Snapshot): void {
  const { name, help, label, read } = metric;
  const common = { name, help, labelNames: label ? [label] : [], registers: [registry] };
  if (metric.type === 'counter') {
    new Counter({
      ...common,
      collect() {
        this.reset();
        // The snapshot's totals only grow, so what Prometheus sees is monotone though it is set anew.
        for (const [labels, value] of asSeries(read(snapshot()))) this.inc(labels, value);
      },
    });
    return;
  }
  new Gauge({
    ...common,
    collect() {
      this.reset();
      const values = asSeries(read(snapshot()));
      if (values.length === 0) this.remove();
      for (const [labels, value] of values) this.set(labels, value);
    },
  });
}

function asSeries(value: number | Series | undefined): Series {
  if (value === undefined) return [];
  return typeof value === 'number' ? [[{}, value]] : value;
}
