// What the workload's role may do: write below the prefix, give up an upload, list the prefix. It can neither read nor
// delete what it wrote.
import {
  bucketArn,
  type Conditions,
  type DataPlace,
  objectsArn,
  type PolicyDocument,
  policy,
} from './policy.ts';

export interface RoleGrants extends DataPlace {
  readonly region: string;
  /** ARN of the key that the bucket encrypts with; absent with SSE-S3. */
  readonly kmsKey?: string | undefined;
  /** The only way in, where there is one: `vpce-1a2b…`. */
  readonly vpcEndpoint?: string | undefined;
}

export function rolePolicy(grants: RoleGrants): PolicyDocument {
  const { prefix, kmsKey, region, vpcEndpoint } = grants;
  const from: Conditions =
    vpcEndpoint === undefined ? {} : { StringEquals: { 'aws:SourceVpce': vpcEndpoint } };
  // `site-1/` and what follows, so that the names of `site-10/` stay hidden.
  const below: Conditions = prefix === undefined ? {} : { StringLike: { 's3:prefix': `${prefix}/*` } };
  return policy(
    {
      Sid: 'WriteObjects',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: [objectsArn(grants)],
      ...conditions(from),
    },
    {
      Sid: 'ListThem',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [bucketArn(grants)],
      ...conditions({ ...from, ...below }),
    },
    ...(kmsKey === undefined
      ? []
      : [
          {
            // Decrypt is what S3 needs to join the parts of a large upload.
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
            Sid: 'EncryptThroughS3',
            Effect: 'Allow',
            Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
            Resource: [kmsKey],
            Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.${domainOf(grants)}` } },
          } as const,
        ]),
  );
}

function conditions(all: Conditions): { readonly Condition?: Conditions } {
  return Object.keys(all).length === 0 ? {} : { Condition: all };
}

function domainOf({ partition }: DataPlace): string {
  return partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
}
