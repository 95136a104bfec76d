// The files mover's Prometheus registry: every metric is read off one snapshot at the moment of the scrape.
import process from 'node:process';
import { Counter, Gauge, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { METRICS, type Metric, type MetricDescription, type Series } from './metrics-table.ts';
import type { FilesSnapshot } from './snapshot.ts';

export interface FilesMetrics {
  readonly registry: Registry;
  /** Every metric there is, in the order of the table. */
  describe(): MetricDescription[];
}

/**
 * A registry that reads one snapshot per scrape.
 * The mover keeps counting in its snapshot alone; nothing here is updated between scrapes.
 */
export function filesMetrics(snapshot: () => FilesSnapshot): FilesMetrics {
  const registry = new Registry();
  const read = oncePerTurn(snapshot);
  for (const metric of METRICS) register(registry, metric, read);
  const build = {
    name: 'ferry_files_build_info',
    type: 'gauge',
    help: 'Always 1; the labels name the version of Ferry and of Node.js.',
  } as const;
  new Gauge({ ...build, labelNames: ['version', 'node'], registers: [registry] }).set(
    { version: packageJson.version, node: process.versions.node },
    1,
  );
  return {
    registry,
    describe: () => [...METRICS, build].map(({ name, type, help }) => ({ name, type, help })),
  };
}

/** prom-client collects all metrics of a scrape in one turn of the loop: they share one snapshot. */
function oncePerTurn(snapshot: () => FilesSnapshot): () => FilesSnapshot {
  let current: FilesSnapshot | undefined;
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

function register(registry: Registry, metric: Metric, snapshot: () => FilesSnapshot): void {
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
