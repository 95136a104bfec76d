// From resources as Pulumi declares them to the bucket, the role and the objects that rules look at.
import { z } from 'zod';
import type { RoleInReview } from './iam/places.ts';
import type { BucketInReview } from './rules/bucket-rule.ts';
import { flagOf, type Manifests, type Pod, podsOf, readManifests, uploaderOf } from './rules/kube.ts';

/** One resource of a program, or of a stack. */
export interface DeclaredResource {
  /** `aws:s3/bucket:Bucket` */
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Undefined where the tool does not tell. */
  readonly protect?: boolean | undefined;
}

const encryption = z.object({
  rules: z.tuple([
    z.object({
      applyServerSideEncryptionByDefault: z.object({
        sseAlgorithm: z.string(),
        kmsMasterKeyId: z.string().optional(),
      }),
      bucketKeyEnabled: z.boolean().optional(),
    }),
  ]),
});
const lifecycle = z.object({
  rules: z.array(
    z.object({
      id: z.string(),
      status: z.string(),
      filter: z
        .object({
          prefix: z.string().optional(),
          objectSizeGreaterThan: z.number().optional(),
          and: z.object({ prefix: z.string(), objectSizeGreaterThan: z.number() }).optional(),
        })
        .optional(),
      abortIncompleteMultipartUpload: z.object({ daysAfterInitiation: z.number() }).optional(),
      noncurrentVersionExpiration: z.object({ noncurrentDays: z.number() }).optional(),
      transitions: z.array(z.object({ days: z.number(), storageClass: z.string() })).optional(),
      expiration: z.object({ days: z.number().optional() }).optional(),
    }),
  ),
});
const versioning = z.object({ versioningConfiguration: z.object({ status: z.string() }) });
const ownership = z.object({ rule: z.object({ objectOwnership: z.string() }) });
const named = z.object({ bucket: z.string(), forceDestroy: z.boolean().optional() });

/**
 * The one bucket among the resources, with the resources that guard it; undefined when there is none.
 * @throws ZodError for inputs of another shape than is known here.
 */
export function bucketOf(resources: readonly DeclaredResource[]): BucketInReview | undefined {
  const of = (type: string): DeclaredResource | undefined =>
    resources.find((resource) => resource.type.startsWith('aws:s3/') && resource.type.endsWith(`:${type}`));
  const bucket = of('Bucket');
  if (bucket === undefined) return undefined;
  const encrypted = of('BucketServerSideEncryptionConfiguration');
  const [first] = encrypted === undefined ? [] : encryption.parse(encrypted.inputs).rules;
  const owned = of('BucketOwnershipControls');
  const versions = of('BucketVersioning');
  const rules = of('BucketLifecycleConfiguration');
  return {
    ...named.parse(bucket.inputs),
    protect: bucket.protect,
    publicAccessBlock: of('BucketPublicAccessBlock')?.inputs,
    objectOwnership: owned && ownership.parse(owned.inputs).rule.objectOwnership,
    encryption: first && {
      sseAlgorithm: first.applyServerSideEncryptionByDefault.sseAlgorithm,
      // A provider fills in an empty text where none was given.
      kmsMasterKeyId: first.applyServerSideEncryptionByDefault.kmsMasterKeyId || undefined,
      bucketKeyEnabled: first.bucketKeyEnabled,
    },
    versioning: versions && versioning.parse(versions.inputs).versioningConfiguration.status,
    lifecycle: rules === undefined ? [] : lifecycle.parse(rules.inputs).rules,
  };
}

/** What the Kubernetes provider is told, as the objects they are. */
export function manifestsOf(resources: readonly DeclaredResource[]): Manifests {
  const objects = resources.filter(({ type }) => /^kubernetes:[^:]+:\w+$/.test(type));
  return readManifests(
    'stack',
    objects.map(({ type, inputs }) => ({ kind: type.split(':')[2], ...inputs })),
  );
}

const role = z.object({ name: z.string(), path: z.string().default('/'), assumeRolePolicy: z.string() });
const policyText = z.object({ policy: z.string() });

/**
 * The role among the resources with its documents, measured by where the uploader writes; undefined when there is no
 * role or no uploader.
 */
export function roleIn(resources: readonly DeclaredResource[]): RoleInReview | undefined {
  const of = (type: string): DeclaredResource | undefined =>
    resources.find((resource) => resource.type === type);
  const guarded = of('aws:s3/bucketPolicy:BucketPolicy');
  const pod = podsOf(manifestsOf(resources)).find((each) => uploaderOf(each) !== undefined);
  const uploader = pod && uploaderOf(pod);
  const roles = resources.filter(({ type }) => type === 'aws:iam/role:Role');
  // A target may have a role for other pods, too.
  const made = roles.find(({ inputs }) => trusts(String(inputs.assumeRolePolicy), pod)) ?? roles[0];
  const granted = resources.find(
    ({ type, inputs }) => type === 'aws:iam/rolePolicy:RolePolicy' && inputs.role === made?.inputs.name,
  );
  if (made === undefined || granted === undefined || guarded === undefined || uploader === undefined)
    return undefined;
  const { name, path, assumeRolePolicy } = role.parse(made.inputs);
  const identity = policyText.parse(granted.inputs).policy;
  const bucketPolicy = policyText.parse(guarded.inputs).policy;
  const [, bucket = '', prefix] = /^s3:\/\/([^/]+)(?:\/(.+))?$/.exec(flagOf(uploader, 'to') ?? '') ?? [];
  const [, partition, account] = /arn:(aws[a-z-]*):(?:iam|eks):[^:]*:(\d{12}):/.exec(assumeRolePolicy) ?? [];
  const [, vpcEndpoint] = /"aws:SourceVpce":"(vpce-[0-9a-z]+)"/.exec(bucketPolicy) ?? [];
  return {
    arn: `arn:${partition}:iam::${account}:role${path}${name}`,
    region: flagOf(uploader, 'region') ?? '',
    bucket,
    prefix,
    kmsKey: bucketOf(resources)?.encryption?.kmsMasterKeyId,
    vpcEndpoint,
    trust: JSON.parse(assumeRolePolicy),
    identity: JSON.parse(identity),
    bucketPolicy: JSON.parse(bucketPolicy),
  };
}

/** By IRSA or by Pod Identity. */
function trusts(policy: string, pod: Pod | undefined): boolean {
  const name = pod?.spec.serviceAccountName ?? 'default';
  return policy.includes(`:${name}"`) || policy.includes(`"${name}"`);
}
