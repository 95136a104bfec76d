// The Grafana dashboard as plain data, written to docs/grafana.json by `npm run docs`. Every query in it is run on a
// real Prometheus by a test.

interface PanelSpec {
  readonly title: string;
  readonly unit: 'short' | 'bytes' | 'Bps' | 'bps' | 's' | 'percentunit' | 'cps';
  /** Legend by query. */
  readonly queries: Readonly<Record<string, string>>;
  readonly what: string;
  readonly stat?: true;
}

const HERE = '{namespace=~"$namespace",job=~"$job"}';
const RATE = '[$__rate_interval]';
const counter = (name: string): string => `sum by (job) (rate(ferry_files_${name}${HERE}${RATE}))`;
const gauge = (name: string): string => `max by (job) (ferry_files_${name}${HERE})`;

export const PANELS: readonly PanelSpec[] = [
  {
    title: 'Store answers',
    unit: 'short',
    stat: true,
    queries: { '{{job}}': `min by (job) (ferry_files_store_up${HERE})` },
    what: '1 when the last call to S3 succeeded.',
  },
  {
    title: 'Oldest file not proved',
    unit: 's',
    stat: true,
    queries: { '{{job}}': gauge('oldest_unproved_age_seconds') },
    what: 'The one number that says whether data is at risk: how long the oldest file has waited for its proof.',
  },
  {
    title: 'Disk full in',
    unit: 's',
    stat: true,
    queries: { '{{job}}': `min by (job) (ferry_files_disk_full_seconds${HERE})` },
    what: 'At the present growth; +Inf when it does not fill.',
  },
  {
    title: 'Since the last success',
    unit: 's',
    stat: true,
    queries: { '{{job}}': `time() - max by (job) (ferry_files_last_success_timestamp_seconds${HERE} > 0)` },
    what: 'Old with no backlog: the writer is idle. Old with a backlog: stuck.',
  },
  {
    title: 'Files in and out',
    unit: 'cps',
    queries: {
      'in {{job}}': counter('seen_total'),
      'out {{job}}': `${counter('sent_total')} + ${counter('deduplicated_total')}`,
      'proved {{job}}': counter('proved_total'),
      'freed {{job}}': counter('freed_total'),
    },
    what: 'All four are equal over a day: what comes in goes out, is proved, and is freed after the retention.',
  },
  {
    title: 'Bandwidth to S3',
    unit: 'bps',
    queries: { '{{job}}': `8 * ${counter('sent_bytes_total')}` },
    what: 'Content only; requests and TLS come on top.',
  },
  {
    title: 'Waiting',
    unit: 'short',
    queries: {
      'backlog {{job}}': gauge('backlog_files'),
      'not proved {{job}}': gauge('unproved_files'),
      'settling {{job}}': gauge('settling_files'),
    },
    what: 'Files on their way.',
  },
  {
    title: 'Disk',
    unit: 'bytes',
    queries: { 'used {{job}}': gauge('disk_used_bytes'), 'limit {{job}}': gauge('disk_limit_bytes') },
    what: 'Allocated blocks against the limit of the volume.',
  },
  {
    title: 'Inodes',
    unit: 'percentunit',
    queries: { '{{job}}': `${gauge('disk_used_inodes')} / ${gauge('disk_limit_inodes')}` },
    what: 'Small files use up inodes before bytes.',
  },
  {
    title: 'Failing files',
    unit: 'short',
    queries: { '{{reason}} {{job}}': `sum by (job, reason) (ferry_files_failing_files${HERE}) > 0` },
    what: 'Files whose last attempt failed, by reason.',
  },
  {
    title: 'Conflicts and vanished objects in an hour',
    unit: 'short',
    queries: {
      'conflicts {{job}}': `sum by (job) (increase(ferry_files_conflicts_total${HERE}[1h]))`,
      'vanished {{job}}': `sum by (job) (increase(ferry_files_vanished_objects_total${HERE}[1h]))`,
    },
    what: 'Both should stay 0.',
  },
  {
    title: 'CPU and memory',
    unit: 'short',
    queries: {
      'cores {{job}}': `sum by (job) (rate(process_cpu_seconds_total${HERE}${RATE}))`,
      'MiB {{job}}': `sum by (job) (process_resident_memory_bytes${HERE}) / 1048576`,
    },
    what: 'What Ferry itself costs.',
  },
];

const STATS = PANELS.filter(({ stat }) => stat).length;

/** As Grafana imports it. */
export function dashboard(): object {
  return {
    title: 'Ferry: is the data flowing?',
    uid: 'ferry-files',
    schemaVersion: 39,
    tags: ['ferry'],
    timezone: 'utc',
    refresh: '30s',
    time: { from: 'now-12h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        variable('namespace', 'label_values(ferry_files_build_info, namespace)'),
        variable('job', 'label_values(ferry_files_build_info{namespace=~"$namespace"}, job)'),
      ],
    },
    panels: PANELS.map((panel, index) => panelOf(panel, index)),
  };
}

const SOURCE = { type: 'prometheus', uid: '$datasource' };

function variable(name: string, query: string): object {
  return { name, type: 'query', datasource: SOURCE, query, refresh: 2, multi: true, includeAll: true };
}

function panelOf({ title, unit, queries, what, stat }: PanelSpec, index: number): object {
  const later = index - STATS;
  return {
    id: index + 1,
    title,
    description: what,
    type: stat ? 'stat' : 'timeseries',
    datasource: SOURCE,
    gridPos: stat
      ? { x: index * 6, y: 0, w: 6, h: 4 }
      : { x: (later % 2) * 12, y: 4 + Math.floor(later / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
  };
}
