// A real S3 server of its own in the namespace, for trying Ferry out: its keys, its volume and its bucket.
import { createHash } from 'node:crypto';
import { Chart } from 'cdk8s';
import { Pods, Protocol, Secret, Service, ServiceAccount } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { MIB } from '../app/plan/measured.ts';
import { httpProbe, locked, PULL_POLICY, podBasics, resources } from './containers.ts';
import { addObject } from './guard.ts';
import { labelsOf, S3_NAME, S3_PORT, selectorOf } from './labels.ts';
import { s3Network } from './network.ts';
import { byteQuantity } from './quantities.ts';
import type { TargetSettings } from './settings/settings.ts';

/** What the server in the cluster takes for its only account. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const STORE = '/store';
const HEALTH = '/health';
/** A small server of Go; 600 files a second took it less than a core. */
const SERVER = {
  cpuRequest: 50,
  cpuLimit: 1_000,
  memoryRequest: 64 * MIB,
  memoryLimit: 512 * MIB,
  ephemeralStorage: 128 * MIB,
};
const SETUP = { ...SERVER, memoryLimit: 128 * MIB };

export class S3Chart extends Chart {
  constructor(scope: Construct, id: string, settings: TargetSettings, keys: S3Keys) {
    super(scope, id, { namespace: settings.namespace });
    const metadata = { name: S3_NAME, labels: labelsOf(settings, 's3') };

    new ServiceAccount(this, 'account', { metadata, automountToken: false });
    new Secret(this, 'keys', {
      metadata,
      type: 'Opaque',
      stringData: { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
    });
    const claim: IPersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: byteQuantity(settings.s3StorageBytes) } },
      },
    };
    addObject(this, claim);
    addObject(this, server(settings, keys));
    new Service(this, 'service', {
      metadata,
      ...(settings.s3ClusterIp === undefined ? {} : { clusterIP: settings.s3ClusterIp }),
      selector: Pods.select(this, 'pods', { labels: selectorOf(settings, 's3') }),
      ports: [{ name: 's3', port: S3_PORT, targetPort: S3_PORT, protocol: Protocol.TCP }],
    });
    s3Network(this, settings, S3_NAME);
  }
}

function server(settings: TargetSettings, keys: S3Keys): IDeployment {
  const labels = labelsOf(settings, 's3');
  const key = (name: string, of: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: S3_NAME, key: of } },
  });
  const volumeMounts = [{ name: 'store', mountPath: STORE }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: S3_NAME, labels },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selectorOf(settings, 's3') },
      template: {
        // New keys must reach the running server.
        metadata: { labels, annotations: { 'ferry/keys': fingerprint(keys) } },
        spec: {
          ...podBasics(settings),
          serviceAccountName: S3_NAME,
          terminationGracePeriodSeconds: 10,
          initContainers: [
            {
              // To this server a directory is a bucket: made before it starts, it is never missing.
              name: 'bucket',
              image: settings.image,
              imagePullPolicy: PULL_POLICY,
              command: ['/nodejs/bin/node', '-e'],
              args: [
                `for (const path of ${JSON.stringify([`${STORE}/data/${settings.bucket}`, `${STORE}/meta`])}) require('node:fs').mkdirSync(path, { recursive: true })`,
              ],
              resources: resources(SETUP),
              securityContext: locked(),
              volumeMounts,
            },
          ],
          containers: [
            {
              name: 's3',
              ...(settings.s3Image === undefined ? {} : { image: settings.s3Image }),
              imagePullPolicy: PULL_POLICY,
              args: [
                `--port=:${S3_PORT}`,
                `--region=${settings.region}`,
                `--health=${HEALTH}`,
                'posix',
                `--sidecar=${STORE}/meta`,
                `${STORE}/data`,
              ],
              env: [
                key('ROOT_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'),
                key('ROOT_SECRET_KEY', 'AWS_SECRET_ACCESS_KEY'),
              ],
              ports: [{ name: 's3', containerPort: S3_PORT }],
              startupProbe: httpProbe(HEALTH, 's3', { every: 1, failures: 60, timeout: 2 }),
              readinessProbe: httpProbe(HEALTH, 's3', { every: 5, failures: 2, timeout: 2 }),
              livenessProbe: httpProbe(HEALTH, 's3', { every: 10, failures: 6, timeout: 5 }),
              resources: resources(SERVER),
              securityContext: locked(),
              volumeMounts: [...volumeMounts, { name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [
            { name: 'store', persistentVolumeClaim: { claimName: S3_NAME } },
            { name: 'tmp', emptyDir: { sizeLimit: byteQuantity(32 * MIB) } },
          ],
        },
      },
    },
  };
}

function fingerprint({ accessKeyId, secretAccessKey }: S3Keys): string {
  return createHash('sha256').update(`${accessKeyId}\0${secretAccessKey}`).digest('hex').slice(0, 16);
}
