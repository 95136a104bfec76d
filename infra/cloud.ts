// What is made in the AWS account: bucket, role, alarms. Loaded only for targets that have an account.
import { Provider } from '@pulumi/aws/provider.js';
import { Config, log, type Output, type Resource } from '@pulumi/pulumi';
import { FerryError } from '../app/core/errors.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import { type Account, awsLookups, lookUp } from './account.ts';
import { Alarms, alarmsOf } from './alarms.ts';
import { DataBucket } from './data-bucket.ts';
import { lifecycleWarnings } from './documents/lifecycle.ts';
import { type RoleName, roleName } from './documents/policy.ts';
import type { EksCluster } from './kubeconfig.ts';
import { WorkloadRole } from './workload-role.ts';

export interface Cloud {
  readonly bucket: Output<string>;
  readonly roleArn: Output<string>;
  /** What must be there before a pod can send a file. */
  readonly resources: readonly Resource[];
  readonly cluster: EksCluster | undefined;
}

/** @param offline looks nothing up and asks nobody: for a preview without an account */
export async function makeCloud(stack: string, settings: TargetSettings, offline: boolean): Promise<Cloud> {
  const { region, roleArn, bucket: name, kmsKey, vpcEndpoint, permissionsBoundary } = settings;
  // The settings refuse a target on AWS without a role.
  const role = roleName(roleArn ?? '');
  if (!offline) checkRegion(region);
  const account = offline ? presumed(settings, role) : await lookUp(settings, role, awsLookups(region));
  const opts = offline ? { provider: deafProvider(region) } : {};
  const place = { partition: role.partition, bucket: name, prefix: settings.prefix };
  const tags = { 'managed-by': 'pulumi', project: 'ferry', stack };

  for (const warning of lifecycleWarnings(settings)) log.warn(`ferry:${warning}`);
  const bucket = new DataBucket(
    'data',
    { ...settings, ...place, writer: role.arn, breakGlass: settings.breakGlassRole, tags },
    opts,
  );
  const workloadRole = new WorkloadRole(
    'uploader',
    {
      role,
      identity: account.identity,
      account: { namespace: settings.namespace, name: settings.name },
      grants: { ...place, region, kmsKey, vpcEndpoint },
      permissionsBoundary,
      tags,
    },
    opts,
  );
  if (settings.alarmTopic !== undefined)
    new Alarms(
      name,
      {
        bucket: bucket.bucket,
        prefix: settings.prefix,
        topic: settings.alarmTopic,
        alarms: alarmsOf(settings.rate),
        tags,
      },
      opts,
    );
  return {
    bucket: bucket.bucket,
    roleArn: workloadRole.arn,
    resources: [bucket, workloadRole],
    cluster: account.cluster,
  };
}

/** Pulumi's provider has a region of its own, and the bucket would be made there. */
function checkRegion(region: string): void {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const provider = new Config('aws').get('region') ?? AWS_REGION ?? AWS_DEFAULT_REGION;
  if (provider === region) return;
  throw new FerryError(
    'config',
    `aws:region is ${provider ?? 'absent'}, and ferry:region is ${region}.`,
    `Write "aws:region: ${region}" beside it, or mend ferry:region.`,
  );
}

/** What `pulumi up` would look up. */
function presumed(settings: TargetSettings, role: RoleName): Account {
  const { region, cluster = 'unknown', webIdentity } = settings;
  const clusterArn = `arn:${role.partition}:eks:${region}:${role.account}:cluster/${cluster}`;
  if (webIdentity === 'pod-identity') return { identity: { by: 'pod-identity', cluster, clusterArn } };
  const issuer = settings.oidcIssuer ?? `https://oidc.eks.${region}.amazonaws.com/id/LOOKED-UP-BY-PULUMI-UP`;
  return { identity: { by: 'irsa', issuer } };
}

/** Knows the shape of everything and asks nobody. */
function deafProvider(region: string): Provider {
  return new Provider('offline', {
    region,
    accessKey: 'offline',
    secretKey: 'offline',
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
    skipRequestingAccountId: true,
  });
}
