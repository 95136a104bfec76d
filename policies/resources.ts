// From resources as Pulumi declares them to the bucket that rules look at.
import { z } from 'zod';
import type { BucketInReview } from './rules/bucket-rule.ts';

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
      ...first.applyServerSideEncryptionByDefault,
      bucketKeyEnabled: first.bucketKeyEnabled,
    },
    versioning: versions && versioning.parse(versions.inputs).versioningConfiguration.status,
    lifecycle: rules === undefined ? [] : lifecycle.parse(rules.inputs).rules,
  };
}
