// Settings of the bucket: where it is, and how the uploader comes to its credentials.
import { choice, field, httpUrl, optional, size, text, toggle } from '../../app/core/settings/fields.ts';
import { parseImage } from '../quantities.ts';
import { BUCKET_NAME, BUCKET_NAME_TEXT } from './names.ts';

const BUCKET = 'The bucket';

export const BUCKET_FIELDS = {
  s3: choice(
    {
      group: BUCKET,
      what: 'aws: a bucket on AWS and a role. in-cluster: an S3 server of its own in the namespace, for trying it out',
      example: 'aws',
      default: 'aws',
    },
    ['aws', 'in-cluster'],
  ),
  bucket: text(
    { group: BUCKET, what: 'Where the files go', example: 'acme-ferry-staging' },
    'NAME',
    BUCKET_NAME_TEXT,
    BUCKET_NAME,
  ),
  prefix: optional(
    text(
      { group: BUCKET, what: 'Start of every key', example: 'site-1', otherwise: 'none' },
      'PREFIX',
      'parts of letters, digits and ._= with single slashes between them',
      /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*(\/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*$/,
    ),
  ),
  region: text(
    { group: BUCKET, what: "The bucket's region", example: 'eu-central-1', default: 'us-east-1' },
    'REGION',
    'a region name',
    /^[a-z]{2}(-[a-z]+)+-\d$/,
  ),
  endpoint: optional(
    httpUrl({
      group: BUCKET,
      what: 'Base URL of a VPC endpoint of S3',
      example: 'https://bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com',
      otherwise: "AWS's own, or the server in the cluster",
    }),
  ),
  roleArn: optional(
    text(
      {
        group: BUCKET,
        what: 'Role that the uploader takes by its service account (IRSA)',
        example: 'arn:aws:iam::111122223333:role/ferry-staging',
        otherwise: 'none; needed with s3: aws',
      },
      'ARN',
      'the ARN of an IAM role',
      /^arn:aws[a-z-]*:iam::\d{12}:role\/[A-Za-z0-9+=,.@_/-]{1,512}$/,
    ),
  ),
  webIdentity: choice(
    {
      group: BUCKET,
      what: "Who hands the role's token to the uploader. injected: the cluster's webhook (EKS). projected: the pod itself, for clusters without one",
      example: 'injected',
      default: 'injected',
    },
    ['injected', 'pod-identity', 'projected'],
  ),
  stsEndpoint: optional(
    httpUrl({
      group: BUCKET,
      what: 'Base URL of STS, for a VPC endpoint or a test',
      example: 'https://sts.eu-central-1.amazonaws.com',
      otherwise: "the region's own",
    }),
  ),
  s3Image: optional(
    field(
      {
        group: BUCKET,
        what: 'Image of the S3 server in the cluster',
        example: 'versity/versitygw:v1.8.0',
        otherwise: 'none; needed with s3: in-cluster',
      },
      'IMAGE',
      'an image name with a tag or a digest',
      parseImage,
    ),
  ),
  s3StorageBytes: size({
    group: BUCKET,
    what: 'Size of its volume claim; 12 files/s of 1 KB take about 12 GiB a day',
    example: '20Gi',
    default: '20Gi',
  }),
  s3ClusterIp: optional(
    text(
      {
        group: BUCKET,
        what: 'Fixed address of its Service, used instead of a name where the cluster has no DNS',
        example: '10.96.0.70',
        otherwise: 'any',
      },
      'IP',
      'an IPv4 address',
      /^(\d{1,3}\.){3}\d{1,3}$/,
    ),
  ),
  sse: choice(
    {
      group: BUCKET,
      what: "Encryption asked for with every object. none leaves it to the bucket's default",
      example: 'AES256',
      default: 'none',
    },
    ['none', 'AES256', 'aws:kms'],
  ),
  sseKmsKeyId: optional(
    text(
      {
        group: BUCKET,
        what: 'KMS key for sse: aws:kms: an id, an alias or an ARN',
        example: 'alias/ferry',
        otherwise: "AWS's key for S3",
      },
      'KEY',
      'a KMS key id, alias or ARN',
      /^[A-Za-z0-9:/_-]{1,2048}$/,
    ),
  ),
  mayRead: toggle({
    group: BUCKET,
    what: 'The role may read objects (s3:GetObject): the uploader compares by HEAD where a listing cannot tell',
    default: 'false',
  }),
};
