// Calls for the matrix of roles, calls and places: each with the action that AWS asks of it, and the places it is tried in.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** An object or a bucket to try a call on. */
export interface Goal {
  readonly Bucket: string;
  readonly Key: string;
}

export interface Call {
  readonly name: string;
  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
  readonly action: string;
  readonly on: 'object' | 'bucket' | 'nothing';
  readonly send: (s3: S3Client, goal: Goal) => Promise<unknown>;
}

/** No upload has it: who may ask is told that there is none. */
const UploadId = 'none';
const Tagging = { TagSet: [{ Key: 'a', Value: 'b' }] };

export const CALLS: readonly Call[] = [
  object('PutObject', 's3:PutObject', (s3, goal) => s3.send(new PutObjectCommand({ ...goal, Body: 'x' }))),
  object('CreateMultipartUpload', 's3:PutObject', (s3, goal) =>
    s3.send(new CreateMultipartUploadCommand(goal)),
  ),
  object('UploadPart', 's3:PutObject', (s3, goal) =>
    s3.send(new UploadPartCommand({ ...goal, UploadId, PartNumber: 1, Body: 'x' })),
  ),
  object('CompleteMultipartUpload', 's3:PutObject', (s3, goal) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        ...goal,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"x"' }] },
      }),
    ),
  ),
  object('AbortMultipartUpload', 's3:AbortMultipartUpload', (s3, goal) =>
    s3.send(new AbortMultipartUploadCommand({ ...goal, UploadId })),
  ),
  object('ListParts', 's3:ListMultipartUploadParts', (s3, goal) =>
    s3.send(new ListPartsCommand({ ...goal, UploadId })),
  ),
  object('GetObject', 's3:GetObject', (s3, goal) => s3.send(new GetObjectCommand(goal))),
  object('HeadObject', 's3:GetObject', (s3, goal) => s3.send(new HeadObjectCommand(goal))),
  object('GetObjectTagging', 's3:GetObjectTagging', (s3, goal) => s3.send(new GetObjectTaggingCommand(goal))),
  object('GetObjectAcl', 's3:GetObjectAcl', (s3, goal) => s3.send(new GetObjectAclCommand(goal))),
  object('PutObjectTagging', 's3:PutObjectTagging', (s3, goal) =>
    s3.send(new PutObjectTaggingCommand({ ...goal, Tagging })),
  ),
  object('PutObjectAcl', 's3:PutObjectAcl', (s3, goal) =>
    s3.send(new PutObjectAclCommand({ ...goal, ACL: 'private' })),
  ),
  object('DeleteObject', 's3:DeleteObject', (s3, goal) => s3.send(new DeleteObjectCommand(goal))),
  bucket('ListObjectsV2', 's3:ListBucket', (s3, { Bucket }) => s3.send(new ListObjectsV2Command({ Bucket }))),
  bucket('ListObjectVersions', 's3:ListBucketVersions', (s3, { Bucket }) =>
    s3.send(new ListObjectVersionsCommand({ Bucket })),
  ),
  bucket('ListMultipartUploads', 's3:ListBucketMultipartUploads', (s3, { Bucket }) =>
    s3.send(new ListMultipartUploadsCommand({ Bucket })),
  ),
  bucket('GetBucketAcl', 's3:GetBucketAcl', (s3, { Bucket }) => s3.send(new GetBucketAclCommand({ Bucket }))),
  bucket('PutBucketAcl', 's3:PutBucketAcl', (s3, { Bucket }) =>
    s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' })),
  ),
  bucket('GetBucketPolicy', 's3:GetBucketPolicy', (s3, { Bucket }) =>
    s3.send(new GetBucketPolicyCommand({ Bucket })),
  ),
  bucket('PutBucketVersioning', 's3:PutBucketVersioning', (s3, { Bucket }) =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
  ),
  {
    name: 'ListBuckets',
    action: 's3:ListAllMyBuckets',
    on: 'nothing',
    send: (s3) => s3.send(new ListBucketsCommand({})),
  },
];

/** Changes that would undo the rest of the matrix: tried by roles that must be refused. */
export const CHANGES: readonly Call[] = [
  bucket('PutBucketPolicy', 's3:PutBucketPolicy', (s3, { Bucket }) =>
    s3.send(new PutBucketPolicyCommand({ Bucket, Policy: '{}' })),
  ),
  bucket('DeleteBucketPolicy', 's3:DeleteBucketPolicy', (s3, { Bucket }) =>
    s3.send(new DeleteBucketPolicyCommand({ Bucket })),
  ),
  object('DeleteObjectTagging', 's3:DeleteObjectTagging', (s3, goal) =>
    s3.send(new DeleteObjectTaggingCommand(goal)),
  ),
];

function object(name: string, action: string, send: Call['send']): Call {
  return { name, action, on: 'object', send };
}

function bucket(name: string, action: string, send: Call['send']): Call {
  return { name, action, on: 'bucket', send };
}
