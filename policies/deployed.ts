// What a target deploys, as plain objects: its roles with every document, from the same functions that Pulumi's program
// calls. Nothing is looked up; where only the account knows a name, a stand-in says so.
import { bucketPolicy } from '../infra/documents/bucket.ts';
import { roleName } from '../infra/documents/policy.ts';
import { rolePolicy } from '../infra/documents/role.ts';
import { irsaTrust, podIdentityTrust } from '../infra/documents/trust.ts';
import { EVENTS_NAME } from '../manifests/events/names.ts';
import type { TargetEvents } from '../manifests/events/read.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import type { RoleInReview } from './iam/places.ts';

/**
 * Every role of a target: the uploader's first, then that of its events. None for a target with an S3 server of its own.
 */
export function rolesOf(settings: TargetSettings, events?: TargetEvents): RoleInReview[] {
  const { region, bucket, prefix, kmsKey, vpcEndpoint, breakGlassRole, roleArn } = settings;
  if (settings.s3 !== 'aws' || roleArn === undefined) return [];
  const writers = [
    { arn: roleArn, account: settings.name, prefix },
    ...(events?.target.roleArn === undefined
      ? []
      : [{ arn: events.target.roleArn, account: EVENTS_NAME, prefix: events.prefix }]),
  ];
  const { partition } = roleName(roleArn);
  const guards = bucketPolicy({
    ...{ partition, bucket, prefix, writer: roleArn },
    others: writers.slice(1).map((other) => ({ prefix: other.prefix ?? '', writer: other.arn })),
    ...{ breakGlass: breakGlassRole, vpcEndpoint },
  });
  const issuer = settings.oidcIssuer ?? `https://oidc.eks.${region}.amazonaws.com/id/LOOKED-UP-BY-PULUMI-UP`;
  return writers.map((writer) => {
    const role = roleName(writer.arn);
    const account = { namespace: settings.namespace, name: writer.account };
    const cluster = `arn:${partition}:eks:${region}:${role.account}:cluster/${settings.cluster ?? 'unknown'}`;
    return {
      arn: role.arn,
      region,
      bucket,
      prefix: writer.prefix,
      kmsKey,
      vpcEndpoint,
      breakGlass: breakGlassRole,
      trust:
        settings.webIdentity === 'pod-identity'
          ? podIdentityTrust(role, cluster, account)
          : irsaTrust(role, issuer, account),
      identity: rolePolicy({ partition, bucket, prefix: writer.prefix, region, kmsKey, vpcEndpoint }),
      bucketPolicy: guards,
    };
  });
}

/** The uploader's role alone. */
export function roleOf(settings: TargetSettings, events?: TargetEvents): RoleInReview | undefined {
  return rolesOf(settings, events)[0];
}
