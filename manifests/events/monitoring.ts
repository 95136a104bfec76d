// What Prometheus Operator is told of `ferry events`. A run ends within minutes, so its own metrics answer how it goes; that
// it went well at all is what the cluster knows of the CronJob, and kube-state-metrics tells that whether a pod is there
// or not. A gateway that runs would push to is one more thing that can fail, and keeps values of runs that are long over.
import type { Construct } from 'constructs';
import type { Alert } from '../alerts.ts';
import { addObject } from '../guard.ts';
import type { TargetSettings } from '../settings/settings.ts';
import { EVENTS_NAME } from './names.ts';

const GROUP = 'monitoring.coreos.com/v1';
const HOUR_S = 3_600;
/** A day, and two hours for a run that starts late and is tried again. */
const DAILY_S = 26 * HOUR_S;

export interface EventsAlertOptions {
  readonly namespace: string;
  /** Five fields of cron. */
  readonly schedule: string;
  /** Closed days that each run looks for. */
  readonly lookbackDays: number;
}

/** Reads `kube_cronjob_*` of kube-state-metrics (kubernetes/kube-state-metrics, docs/metrics/workload/cronjob-metrics.md). */
export function eventsAlert({ namespace, schedule, lookbackDays }: EventsAlertOptions): Alert {
  const here = `{namespace="${namespace}",cronjob="${EVENTS_NAME}"}`;
  // What runs less than daily is late when a day is about to leave what runs look back on.
  const isDaily = /^\S+ \S+ \* \* \*$/.test(schedule);
  const lateS = isDaily ? DAILY_S : lookbackDays * 24 * HOUR_S;
  return {
    alert: 'FerryEventsLate',
    expr: `time() - (kube_cronjob_status_last_successful_time${here} or kube_cronjob_created${here}) > ${lateS}`,
    for: '5m',
    severity: 'critical',
    summary: `No run of ferry events ended well for ${lateS / HOUR_S} hours.`,
    action: `ferry events status says which days are missing and why; a run heals the last ${lookbackDays} days.`,
  };
}

/** @param labels of the pods */
export function eventsMonitoring(
  scope: Construct,
  settings: TargetSettings,
  options: EventsAlertOptions,
  labels: Record<string, string>,
): void {
  addObject(scope, {
    apiVersion: GROUP,
    kind: 'PodMonitor',
    metadata: { name: EVENTS_NAME, namespace: settings.namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', interval: '15s', scrapeTimeout: '10s' }],
    },
  });
  const { alert, expr, for: duration, severity, summary, action } = eventsAlert(options);
  const annotations = { summary, action, runbook: `docs/events.md#${alert.toLowerCase()}` };
  const rule = { alert, expr, for: duration, labels: { severity }, annotations };
  addObject(scope, {
    apiVersion: GROUP,
    kind: 'PrometheusRule',
    metadata: { name: EVENTS_NAME, namespace: settings.namespace, labels },
    spec: { groups: [{ name: EVENTS_NAME, rules: [rule] }] },
  });
}
