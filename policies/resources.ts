// From resources as Pulumi declares them to the bucket, the role and the objects that rules look at.
import { z } from 'zod';
import { roleName } from '../infra/documents/policy.ts';
import type { TargetEvents } from '../manifests/events/read.ts';
import type { TargetSettings } from '../manifests/settings/settings.ts';
import type { RoleInReview } from './iam/places.ts';
import type { BucketInReview } from './rules/bucket-rule.ts';
import { type Manifests, readManifests } from './rules/kube.ts';

/** One resource of a program, or of a stack. */
export interface DeclaredResource {
  /** `aws:s3/bucket:Bucket` */
  readonly type: string;
  /** Within the program; a role and its policy share one. */
  readonly name: string;
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
export function manifestsOf(target: string, resources: readonly DeclaredResource[]): Manifests {
  const objects = resources.filter(({ type }) => /^kubernetes:[^:]+:\w+$/.test(type));
  return readManifests(
    target,
    objects.map(({ type, inputs }) => ({ kind: type.split(':')[2], ...inputs })),
  );
}

const role = z.object({ name: z.string(), path: z.string().default('/'), assumeRolePolicy: z.string() });
const policyText = z.object({ policy: z.string() });

/** What the settings of a target ask for, in its own file and in those it names. */
export interface Asked {
  readonly settings: TargetSettings;
  readonly events: TargetEvents | undefined;
}

/**
 * The roles among the resources with their documents. Where each may act comes from the settings, never from the
 * documents themselves, which would agree with anything.
 */
export function rolesIn(resources: readonly DeclaredResource[], { settings, events }: Asked): RoleInReview[] {
  if (settings.roleArn === undefined) return [];
  const { partition, account } = roleName(settings.roleArn);
  const { region, bucket, kmsKey, vpcEndpoint, breakGlassRole } = settings;
  const of = (type: string): DeclaredResource[] => resources.filter((resource) => resource.type === type);
  const [guarded] = of('aws:s3/bucketPolicy:BucketPolicy');
  return of('aws:iam/role:Role').map((made) => {
    const { name, path, assumeRolePolicy } = role.parse(made.inputs);
    const arn = `arn:${partition}:iam::${account}:role${path}${name}`;
    const granted = of('aws:iam/rolePolicy:RolePolicy').find((one) => one.name === made.name);
    return {
      arn,
      region,
      bucket,
      prefix: events !== undefined && arn === events.target.roleArn ? events.prefix : settings.prefix,
      kmsKey,
      vpcEndpoint,
      breakGlass: breakGlassRole,
      trust: JSON.parse(assumeRolePolicy),
      identity: documentOf(granted),
      bucketPolicy: documentOf(guarded),
    };
  });
}

/** What is not declared is no document, and `iam-understood` says so. */
function documentOf(resource: DeclaredResource | undefined): unknown {
  return resource === undefined ? undefined : JSON.parse(policyText.parse(resource.inputs).policy);
}
