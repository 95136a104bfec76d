// The files mover's Prometheus registry.
import { type Metrics, metricsOf } from '../core/metrics.ts';
import { METRICS } from './metrics-table.ts';
import type { FilesSnapshot } from './snapshot.ts';

export function filesMetrics(snapshot: () => FilesSnapshot): Metrics {
  return metricsOf('ferry_files', METRICS, snapshot);
}
