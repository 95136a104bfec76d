// What Prometheus Operator is told: where the metrics are, and when somebody must be woken.
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { addObject } from './guard.ts';
import { labelsOf, selectorOf } from './labels.ts';
import type { TargetSettings } from './settings/settings.ts';
import type { PodValues } from './values.ts';

const GROUP = 'monitoring.coreos.com/v1';
/** A walk over a million files takes seconds of CPU at 1 % of a core: minutes. */
const WALK_STALLED_S = 900;
const FULL_SOON_S = 3_600;

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly action: string;
}

export class MonitoringChart extends Chart {
  constructor(scope: Construct, id: string, settings: TargetSettings, { plan }: PodValues) {
    super(scope, id, { namespace: settings.namespace });
    const labels = labelsOf(settings, 'writer');
    addObject(this, {
      apiVersion: GROUP,
      kind: 'ServiceMonitor',
      metadata: { name: settings.name, labels },
      spec: {
        selector: { matchLabels: selectorOf(settings, 'writer') },
        endpoints: [{ port: 'metrics', path: '/metrics', interval: '30s', scrapeTimeout: '10s' }],
      },
    });
    const rules = alerts(settings, plan.inputs.outageMs / 1_000).map(
      ({ alert, expr, for: duration, severity, summary, action }) => ({
        alert,
        expr,
        for: duration,
        labels: { severity },
        annotations: { summary, action },
      }),
    );
    addObject(this, {
      apiVersion: GROUP,
      kind: 'PrometheusRule',
      metadata: { name: settings.name, labels },
      spec: { groups: [{ name: `ferry-${settings.name}`, rules }] },
    });
  }
}

/** @param outageS the longest time without S3 that the volume is planned for. */
function alerts(settings: TargetSettings, outageS: number): Alert[] {
  const here = `{namespace="${settings.namespace}",job="${settings.name}-metrics"}`;
  const hours = Math.round((outageS / 3_600) * 10) / 10;
  return [
    {
      alert: 'FerryDiskCritical',
      expr: `ferry_files_disk_level${here} == 2`,
      for: '1m',
      severity: 'critical',
      summary: 'The volume is about to be full and nothing more can be freed.',
      action:
        'Bring S3 back or stop the writer: over the limit the pod is evicted, or the writer gets errors.',
    },
    {
      alert: 'FerryDiskHigh',
      expr: `ferry_files_disk_level${here} >= 1`,
      for: '15m',
      severity: 'warning',
      summary: 'Proved files are deleted before their retention ends, because the volume is near its limit.',
      action: 'Look whether the writer makes more than planned, and plan again with ferry plan --observe.',
    },
    {
      alert: 'FerryDiskFullSoon',
      expr: `ferry_files_disk_full_seconds${here} < ${FULL_SOON_S}`,
      for: '5m',
      severity: 'warning',
      summary: 'At its present growth the volume is full within an hour.',
      action: 'See whether S3 answers (ferry_files_store_up) and whether the writer makes more than planned.',
    },
    {
      alert: 'FerryStoreDown',
      expr: `ferry_files_store_up${here} == 0`,
      for: '10m',
      severity: 'warning',
      summary: `S3 refuses or cannot be reached; the volume is planned for ${hours} h of it.`,
      action: 'Read the log of the container ferry: it says which call failed and why.',
    },
    {
      alert: 'FerryUnprovedTooOld',
      expr: `ferry_files_oldest_unproved_age_seconds${here} > ${outageS > 0 ? outageS : WALK_STALLED_S}`,
      for: '5m',
      severity: 'critical',
      summary: `A file is unproved for longer than the outage of ${hours} h that is planned for.`,
      action: 'ferry_files_failing_files says what fails; these files exist nowhere but on this volume.',
    },
    {
      alert: 'FerryFilesFailing',
      expr: `sum by (reason) (ferry_files_failing_files${here}) > 0`,
      for: '30m',
      severity: 'warning',
      summary: 'Some files cannot be moved; the others go on.',
      action: 'The log names each file and its reason.',
    },
    {
      alert: 'FerryObjectsVanished',
      expr: `increase(ferry_files_vanished_objects_total${here}[1h]) > 0`,
      for: '0m',
      severity: 'critical',
      summary: 'Objects that S3 had acknowledged are not in its listing; they were sent again.',
      action: 'Find out who deletes in this bucket.',
    },
    {
      alert: 'FerryWalkStalled',
      expr: `time() - ferry_files_last_walk_timestamp_seconds${here} > ${WALK_STALLED_S}`,
      for: '5m',
      severity: 'critical',
      summary: 'The source was not looked through for 15 minutes: new files are not seen.',
      action: 'Read the log of the container ferry.',
    },
    {
      alert: 'FerryAbsent',
      expr: `absent(up${here} == 1)`,
      for: '5m',
      severity: 'critical',
      summary: 'No Ferry answers: nothing is moved and nothing is freed.',
      action: 'kubectl describe the pod; an evicted one says why.',
    },
  ];
}
