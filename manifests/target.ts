// One target as charts, in the order in which `kubectl apply -f` takes their files.
import { App, type Chart } from 'cdk8s';
import { EventsChart } from './events/chart.ts';
import type { TargetEvents } from './events/read.ts';
import { MonitoringChart } from './monitoring.ts';
import { NamespaceChart } from './namespace.ts';
import { S3Chart, type S3Keys } from './s3.ts';
import type { TargetSettings } from './settings/settings.ts';
import { type PodValues, podValues } from './values.ts';
import { WriterChart } from './writer.ts';

export interface Target {
  readonly name: string;
  readonly settings: TargetSettings;
  readonly values: PodValues;
  /** File name without folder and ending; sorted, a file needs only what is in the ones before it. */
  readonly charts: ReadonlyMap<string, Chart>;
}

/**
 * @param keys of the S3 server in the cluster; called only when there is one
 * @param events what the target has turned on of `ferry events`
 */
export function targetCharts(
  name: string,
  settings: TargetSettings,
  keys: () => S3Keys,
  events?: TargetEvents,
): Target {
  const app = new App();
  const values = podValues(settings);
  const charts = new Map<string, Chart>();
  const add = (file: string, create: (id: string) => Chart): void => {
    charts.set(file, create(file));
  };
  add('0-namespace', (id) => new NamespaceChart(app, id, settings));
  if (settings.s3 === 'in-cluster') add('1-s3', (id) => new S3Chart(app, id, settings, keys()));
  add('2-writer', (id) => new WriterChart(app, id, settings, values));
  if (settings.monitoring) add('3-monitoring', (id) => new MonitoringChart(app, id, settings, values));
  if (events !== undefined) add('4-events', (id) => new EventsChart(app, id, settings, events));
  return { name, settings, values, charts };
}
