// The bucket with everything that guards it. All of it is protected: `pulumi destroy` refuses it, since a bucket that
// stays without its guards would be worse than either.
import { Bucket } from '@pulumi/aws/s3/bucket.js';
import { BucketLifecycleConfiguration } from '@pulumi/aws/s3/bucketLifecycleConfiguration.js';
import { BucketLogging } from '@pulumi/aws/s3/bucketLogging.js';
import { BucketOwnershipControls } from '@pulumi/aws/s3/bucketOwnershipControls.js';
import { BucketPolicy } from '@pulumi/aws/s3/bucketPolicy.js';
import { BucketPublicAccessBlock } from '@pulumi/aws/s3/bucketPublicAccessBlock.js';
import { BucketServerSideEncryptionConfiguration } from '@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js';
import { BucketVersioning } from '@pulumi/aws/s3/bucketVersioning.js';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { type BucketGuards, bucketPolicy } from './documents/bucket.ts';
import { type LifecycleAges, lifecycleRules } from './documents/lifecycle.ts';

/** What the bucket's own resource reports of settings that other resources own; it must never act on that. */
const OWNED_ELSEWHERE = [
  'lifecycleRules',
  'logging',
  'policy',
  'serverSideEncryptionConfiguration',
  'versioning',
];

export interface DataBucketArgs extends BucketGuards, LifecycleAges {
  /** ARN of the key of SSE-KMS. @default SSE-S3 */
  readonly kmsKey?: string | undefined;
  /** Existing bucket that gets the access logs, below this bucket's name. @default none */
  readonly accessLogBucket?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export class DataBucket extends ComponentResource {
  readonly bucket: Output<string>;

  constructor(name: string, args: DataBucketArgs, opts: ComponentResourceOptions = {}) {
    super('ferry:infra:DataBucket', name, {}, opts);
    const own = { parent: this, protect: true };

    const { bucket } = new Bucket(
      name,
      { bucket: args.bucket, forceDestroy: false, tags: { ...args.tags } },
      { ...own, ignoreChanges: OWNED_ELSEWHERE },
    );
    const closed = new BucketPublicAccessBlock(
      name,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      own,
    );
    new BucketOwnershipControls(name, { bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } }, own);
    new BucketServerSideEncryptionConfiguration(name, { bucket, rules: [encryption(args.kmsKey)] }, own);
    const versions = new BucketVersioning(
      name,
      { bucket, versioningConfiguration: { status: 'Enabled' } },
      own,
    );
    // S3 refuses two changes of a bucket's access at a time.
    new BucketPolicy(
      name,
      { bucket, policy: JSON.stringify(bucketPolicy(args)) },
      { ...own, dependsOn: [closed] },
    );
    new BucketLifecycleConfiguration(
      name,
      { bucket, rules: lifecycleRules(args) },
      { ...own, dependsOn: [versions] },
    );
    if (args.accessLogBucket !== undefined)
      new BucketLogging(
        name,
        { bucket, targetBucket: args.accessLogBucket, targetPrefix: `${args.bucket}/` },
        own,
      );

    this.bucket = bucket;
    this.registerOutputs({ bucket });
  }
}

/** The bucket key saves most calls to KMS: one for many objects. */
function encryption(kmsKey: string | undefined) {
  return kmsKey === undefined
    ? { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
    : {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: kmsKey },
        bucketKeyEnabled: true,
      };
}
