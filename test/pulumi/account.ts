// An AWS account that is moto's, with what a target on AWS finds there: an EKS cluster whose issuer IAM knows. And the
// SDK's clients for it, since what Pulumi says of its own work proves nothing.
import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { CreateOpenIDConnectProviderCommand, IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { DIGEST } from '../manifests/targets.ts';
import type { Settings } from './stack.ts';

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';
export const CLUSTER = 'staging';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const ROOT_KEYS: Keys = { accessKeyId: 'test', secretAccessKey: 'test' };

export function clients(endpoint: string, credentials: Keys = ROOT_KEYS) {
  const options = { endpoint, region: REGION, credentials, maxAttempts: 1 };
  return {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    iam: new IAMClient(options),
    sts: new STSClient(options),
    eks: new EKSClient(options),
  };
}

/** Answers the cluster's issuer. */
export async function createCluster(endpoint: string): Promise<string> {
  const { eks, iam } = clients(endpoint);
  const { cluster } = await eks.send(
    new CreateClusterCommand({
      name: CLUSTER,
      roleArn: `arn:aws:iam::${ACCOUNT}:role/eks`,
      resourcesVpcConfig: { subnetIds: ['subnet-1', 'subnet-2'] },
    }),
  );
  const issuer = cluster?.identity?.oidc?.issuer;
  if (issuer === undefined) throw new Error('moto made a cluster without an issuer');
  await iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url: issuer,
      ClientIDList: ['sts.amazonaws.com'],
      ThumbprintList: ['9e99a48a9960b14926bb7f3b02e22da2b0ab7280'],
    }),
  );
  return issuer;
}

/** Where the target's events lie, beside its files. */
export const EVENTS_PREFIX = 'events';

/** What turns events on for that target, beside its own settings: put `eventsFile` where it says. */
export function eventsSettings(id: string): Record<string, string> {
  return {
    'ferry-events:settings': 'events.yaml',
    'ferry-events:role-arn': `arn:aws:iam::${ACCOUNT}:role/team/ferry-events-${id}`,
  };
}

export function eventsFile(id: string): string {
  const lines = [`s3_bucket: acme-ferry-${id}`, `s3_key: ${EVENTS_PREFIX}`, 'events: [charge, refund]'];
  return ['url: https://api.example.com/v1', ...lines, ''].join('\n');
}

/** Settings of a target on that account; its pods cannot start, as nobody has the image. */
export function stagingSettings(id: string, context: string): Settings {
  return {
    image: `registry.example.com/ferry@${DIGEST}`,
    'writer-image': `registry.example.com/writer@${DIGEST}`,
    bucket: `acme-ferry-${id}`,
    prefix: 'site-1',
    region: REGION,
    'role-arn': `arn:aws:iam::${ACCOUNT}:role/team/ferry-${id}`,
    namespace: `ferry-${id}`,
    cluster: CLUSTER,
    'kube-context': context,
    wait: 'false',
    rate: '12',
    size: '1Ki',
    'deep-archive-days': '365',
  };
}
