// What the pods of `ferry events` may reach: names, the API, the store. Nothing reaches them but who reads their metrics,
// where the target is watched.
import type { Construct } from 'constructs';
import { S3_PORT, selectorOf } from '../labels.ts';
import { addPolicy, DNS, metricsIngress, outside, storeEgress } from '../network.ts';
import type { TargetSettings } from '../settings/settings.ts';
import type { TargetEvents } from './read.ts';

/** @param labels of the pods */
export function eventsNetwork(
  scope: Construct,
  settings: TargetSettings,
  { target, file }: TargetEvents,
  labels: Record<string, string>,
): void {
  const name = labels['app.kubernetes.io/name'] ?? '';
  const { protocol, port } = new URL(file.url);
  const apiPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  addPolicy(scope, name, labels, {
    podSelector: { matchLabels: labels },
    policyTypes: ['Ingress', 'Egress'],
    ...(settings.monitoring ? { ingress: [metricsIngress(settings)] } : {}),
    egress: [DNS, outside(target.egress, apiPort), ...storeEgress(settings)],
  });
  if (settings.s3 === 'in-cluster')
    addPolicy(scope, `${name}-to-s3`, labels, {
      podSelector: { matchLabels: selectorOf(settings, 's3') },
      policyTypes: ['Ingress'],
      ingress: [
        { from: [{ podSelector: { matchLabels: labels } }], ports: [{ protocol: 'TCP', port: S3_PORT }] },
      ],
    });
}
