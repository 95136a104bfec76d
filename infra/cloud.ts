// What is made in the AWS account: bucket, roles, alarms. Loaded only for targets that have an account.
import { Provider } from '@pulumi/aws/provider.js';
import { Config, log, type Output, type Resource } from '@pulumi/pulumi';
import { FerryError } from '../app/core/errors.ts';
import { EVENTS_NAME } from '../manifests/events/names.ts';
import type { TargetEvents } from '../manifests/events/read.ts';
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
}

export interface CloudPlan {
  /** Absent when the settings lead to the cluster by a kubeconfig's context. */
  readonly cluster: EksCluster | undefined;
  /** Declares the first resource; nothing before it does. */
  make(): Cloud;
}

/**
 * Looks up whatever must be there.
 * @param offline looks nothing up and asks nobody: for a preview without an account
 * @throws FerryError `config` with everything that is missing
 */
export async function planCloud(
  stack: string,
  settings: TargetSettings,
  events: TargetEvents | undefined,
  offline: boolean,
): Promise<CloudPlan> {
  // The settings refuse a target on AWS without a role.
  const role = roleName(settings.roleArn ?? '');
  if (!offline) checkRegion(settings.region);
  const account = offline
    ? presumed(settings, role)
    : await lookUp(settings, role, awsLookups(settings.region));
  const make = () => makeCloud(stack, settings, events, role, account, offline);
  return { cluster: account.cluster, make };
}

function makeCloud(
  stack: string,
  settings: TargetSettings,
  events: TargetEvents | undefined,
  role: RoleName,
  account: Account,
  offline: boolean,
): Cloud {
  const { region, bucket: name, kmsKey, vpcEndpoint, permissionsBoundary } = settings;
  const opts = offline ? { provider: deafProvider(region) } : {};
  const place = { partition: role.partition, bucket: name, prefix: settings.prefix };
  // The settings refuse events on AWS without a role.
  const eventsRole = events && roleName(events.target.roleArn ?? '');
  const tags = { 'managed-by': 'pulumi', project: 'ferry', stack };

  for (const warning of lifecycleWarnings(settings)) log.warn(`ferry:${warning}`);
  const bucket = new DataBucket(
    'data',
    {
      ...settings,
      ...place,
      writer: role.arn,
      others: events && eventsRole ? [{ prefix: events.prefix, writer: eventsRole.arn }] : [],
      breakGlass: settings.breakGlassRole,
      tags,
    },
    opts,
  );
  const roleOf = (resource: string, made: RoleName, serviceAccount: string, prefix: string | undefined) =>
    new WorkloadRole(
      resource,
      {
        role: made,
        identity: account.identity,
        account: { namespace: settings.namespace, name: serviceAccount },
        grants: { ...place, prefix, region, kmsKey, vpcEndpoint },
        permissionsBoundary,
        tags,
      },
      opts,
    );
  const uploaderRole = roleOf('uploader', role, settings.name, settings.prefix);
  const roles = [
    uploaderRole,
    ...(events && eventsRole ? [roleOf('events', eventsRole, EVENTS_NAME, events.prefix)] : []),
  ];
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
    roleArn: uploaderRole.arn,
    resources: [bucket, ...roles],
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
