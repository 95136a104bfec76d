// The writer's chart: its service account, its Deployment of one pod, how others reach its metrics and when it may go.
import { ApiObject, Chart } from 'cdk8s';
import { Pods, Protocol, Service, ServiceAccount } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { roleAnnotations } from './credentials.ts';
import { addObject, setPastTypes } from './guard.ts';
import { HEALTH_PORT, labelsOf, selectorOf } from './labels.ts';
import { writerNetwork } from './network.ts';
import { byteQuantity } from './quantities.ts';
import type { TargetSettings } from './settings/settings.ts';
import type { PodValues } from './values.ts';
import { spillClaim, WRITER, writerPod } from './writer-pod.ts';

export class WriterChart extends Chart {
  constructor(scope: Construct, id: string, settings: TargetSettings, values: PodValues) {
    super(scope, id, { namespace: settings.namespace });
    const { name } = settings;
    const labels = labelsOf(settings, 'writer');
    const selector = selectorOf(settings, 'writer');
    const injected = settings.s3 === 'aws' && settings.webIdentity !== 'projected';

    new ServiceAccount(this, 'account', {
      metadata: { name, labels, annotations: roleAnnotations(settings, settings.roleArn) },
      automountToken: false,
    });

    if (settings.spillSizeBytes !== undefined) {
      const claim: IPersistentVolumeClaim = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: spillClaim(settings), labels },
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...(settings.spillClass === undefined ? {} : { storageClassName: settings.spillClass }),
          resources: { requests: { storage: byteQuantity(settings.spillSizeBytes) } },
        },
      };
      addObject(this, claim);
    }

    const deployment: IDeployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas: 1,
        revisionHistoryLimit: 3,
        // Never two writers at a time: the old pod has ended, and its files are sent, before the new one starts.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: selector },
        template: {
          // The webhook that injects the role's credentials would do so for every container that is not named here.
          metadata: {
            labels,
            ...(injected ? { annotations: { 'eks.amazonaws.com/skip-containers': WRITER } } : {}),
          },
          spec: writerPod(settings, values),
        },
      },
    };
    addObject(this, deployment);

    const budget: IPodDisruptionBudget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, labels },
      spec: {
        maxUnavailable: settings.evictable ? 1 : 0,
        selector: { matchLabels: selector },
        // A pod that is not ready may be waiting for S3 with files that nobody else has.
        unhealthyPodEvictionPolicy: 'IfHealthyBudget',
      },
    };
    addObject(this, budget);

    const metrics = new Service(this, 'metrics', {
      metadata: { name: `${name}-metrics`, labels },
      clusterIP: 'None',
      selector: Pods.select(this, 'pods', { labels: selector }),
      ports: [{ name: 'metrics', port: HEALTH_PORT, targetPort: HEALTH_PORT, protocol: Protocol.TCP }],
    });
    // Metrics are needed most when the pod is not ready.
    setPastTypes(ApiObject.of(metrics), '/spec/publishNotReadyAddresses', true);

    writerNetwork(this, settings);
  }
}
