// What Prometheus Operator is told: where the metrics are, and when somebody must be woken.
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { alerts, runbookOf } from './alerts.ts';
import { addObject } from './guard.ts';
import { labelsOf, selectorOf } from './labels.ts';
import type { TargetSettings } from './settings/settings.ts';
import type { PodValues } from './values.ts';

const GROUP = 'monitoring.coreos.com/v1';

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
    const here = `{namespace="${settings.namespace}",job="${settings.name}-metrics"}`;
    const rules = alerts({ here, outageS: plan.inputs.outageMs / 1_000 }).map(
      ({ alert, expr, for: duration, severity, summary, action }) => ({
        alert,
        expr,
        for: duration,
        labels: { severity },
        annotations: { summary, action, runbook: runbookOf(alert) },
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
