// A role as Ferry's infrastructure gives it, written out as plain objects: what rules and proofs are tried on.
import type { RoleInReview } from '../../policies/iam/places.ts';

const ROLE = 'arn:aws:iam::111122223333:role/ferry';
const ISSUER = 'oidc.eks.eu-central-1.amazonaws.com/id/ABC';
const BUCKET = 'arn:aws:s3:::acme-ferry';
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
const ENDPOINT = 'vpce-0123456789abcdef0';

const WRITES = [
  's3:PutObject',
  's3:PutObjectAcl',
  's3:PutObjectLegalHold',
  's3:PutObjectRetention',
  's3:PutObjectTagging',
  's3:ReplicateObject',
];
const DELETES = ['s3:DeleteObject', 's3:DeleteObjectTagging', 's3:DeleteObjectVersion'];
const TRANSFERS = ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:RestoreObject'];

function deny(
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: unknown,
): unknown {
  const statement = { Sid, Effect: 'Deny', Principal: '*', Action, Resource };
  return Condition === undefined ? statement : { ...statement, Condition };
}

/** One service account of one cluster, a prefix of one bucket, S3's own keys. */
export function sampleRole(): RoleInReview & {
  readonly bucketPolicy: { readonly Version: string; readonly Statement: readonly unknown[] };
} {
  return {
    arn: ROLE,
    region: 'eu-central-1',
    bucket: 'acme-ferry',
    prefix: 'site-1',
    trust: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'OneServiceAccount',
          Effect: 'Allow',
          Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${ISSUER}` },
          Action: ['sts:AssumeRoleWithWebIdentity'],
          Condition: {
            StringEquals: {
              [`${ISSUER}:aud`]: 'sts.amazonaws.com',
              [`${ISSUER}:sub`]: 'system:serviceaccount:ferry:file-writer',
            },
          },
        },
      ],
    },
    identity: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'WriteObjects',
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
          Resource: [`${BUCKET}/site-1/*`],
        },
        {
          Sid: 'ListThem',
          Effect: 'Allow',
          Action: ['s3:ListBucket'],
          Resource: [BUCKET],
          Condition: { StringLike: { 's3:prefix': 'site-1/*' } },
        },
      ],
    },
    bucketPolicy: {
      Version: '2012-10-17',
      Statement: [
        deny('RefusePlainConnections', ['s3:*'], [BUCKET, `${BUCKET}/*`], {
          Bool: { 'aws:SecureTransport': 'false' },
        }),
        deny('RefuseOldTls', ['s3:*'], [BUCKET, `${BUCKET}/*`], {
          NumericLessThan: { 's3:TlsVersion': '1.2' },
        }),
        deny('RefuseOverwriting', ['s3:PutObject'], [`${BUCKET}/site-1/*`], {
          Bool: { 's3:ObjectCreationOperation': 'true' },
          Null: { 's3:if-none-match': 'true' },
        }),
        deny('RefuseOtherWriters', WRITES, [`${BUCKET}/site-1/*`], {
          StringNotEquals: { 'aws:PrincipalArn': ROLE },
        }),
        deny('RefuseDeleting', DELETES, [`${BUCKET}/site-1/*`]),
      ],
    },
  };
}

/** The same with everything that may be asked for: a key, one way in, a boundary. */
export function fullRole(): RoleInReview {
  const sample = sampleRole();
  const otherWays = deny('RefuseOtherWays', TRANSFERS, [`${BUCKET}/site-1/*`], {
    StringNotEquals: { 'aws:SourceVpce': ENDPOINT },
  });
  const through = { StringEquals: { 'aws:SourceVpce': ENDPOINT } };
  return {
    ...sample,
    bucketPolicy: { Version: '2012-10-17', Statement: [...sample.bucketPolicy.Statement, otherWays] },
    kmsKey: KEY,
    vpcEndpoint: ENDPOINT,
    identity: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'WriteObjects',
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
          Resource: [`${BUCKET}/site-1/*`],
          Condition: through,
        },
        {
          Sid: 'ListThem',
          Effect: 'Allow',
          Action: ['s3:ListBucket'],
          Resource: [BUCKET],
          Condition: { ...through, StringLike: { 's3:prefix': 'site-1/*' } },
        },
        {
          Sid: 'EncryptThroughS3',
          Effect: 'Allow',
          Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
          Resource: [KEY],
          Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
        },
      ],
    },
    boundary: {
      Version: '2012-10-17',
      Statement: [{ Sid: 'Fence', Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: ['*'] }],
    },
  };
}
