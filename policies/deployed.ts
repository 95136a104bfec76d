// What a target deploys, as plain objects: its role with every document, from the same functions that Pulumi's program
// calls. Nothing is looked up; where only the account knows a name, a stand-in says so.
import { bucketPolicy } from '../infra/documents/bucket.ts';
import { roleName } from '../infra/documents/policy.ts';
import { rolePolicy } from '../infra/documents/role.ts';
import { irsaTrust, podIdentityTrust } from '../infra/documents/trust.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import type { RoleInReview } from './iam/places.ts';

/** Undefined for a target with an S3 server of its own, which has no role. */
export function roleOf(settings: TargetSettings): RoleInReview | undefined {
  const { region, bucket, prefix, kmsKey, vpcEndpoint, breakGlassRole, roleArn } = settings;
  if (settings.s3 !== 'aws' || roleArn === undefined) return undefined;
  const role = roleName(roleArn);
  const place = { partition: role.partition, bucket, prefix };
  const account = { namespace: settings.namespace, name: settings.name };
  const cluster = `arn:${role.partition}:eks:${region}:${role.account}:cluster/${settings.cluster ?? 'unknown'}`;
  const issuer = settings.oidcIssuer ?? `https://oidc.eks.${region}.amazonaws.com/id/LOOKED-UP-BY-PULUMI-UP`;
  return {
    arn: role.arn,
    region,
    bucket,
    prefix,
    kmsKey,
    vpcEndpoint,
    breakGlass: breakGlassRole,
    trust:
      settings.webIdentity === 'pod-identity'
        ? podIdentityTrust(role, cluster, account)
        : irsaTrust(role, issuer, account),
    identity: rolePolicy({ ...place, region, kmsKey, vpcEndpoint }),
    bucketPolicy: bucketPolicy({ ...place, writer: role.arn, breakGlass: breakGlassRole, vpcEndpoint }),
  };
}
