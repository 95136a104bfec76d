// The namespace: the strictest Pod Security there is, and no traffic that is not allowed.
import { Chart } from 'cdk8s';
import { Namespace } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { denyAll } from './network.ts';
import type { TargetSettings } from './settings/settings.ts';

export class NamespaceChart extends Chart {
  constructor(scope: Construct, id: string, settings: TargetSettings) {
    // No namespace for all of the chart: the namespace itself is in none.
    super(scope, id);
    const modes = ['enforce', 'audit', 'warn'].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, 'restricted'],
      [`pod-security.kubernetes.io/${mode}-version`, 'latest'],
    ]);
    new Namespace(this, 'namespace', {
      metadata: {
        name: settings.namespace,
        labels: { 'app.kubernetes.io/part-of': 'ferry', ...Object.fromEntries(modes) },
      },
    });
    denyAll(this, settings.namespace);
  }
}
