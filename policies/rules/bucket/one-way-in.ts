// Where a VPC endpoint is the only way, the bucket refuses every other.
import { refuses } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

const TRANSFERS = ['s3:GetObject', 's3:GetObjectVersion', 's3:RestoreObject'];

export const bucketOneWayIn = roleRule(
  {
    name: 'bucket-one-way-in',
    protectsFrom: 'data that leaves over the internet with credentials that were taken',
    severity: 'high',
    remedy: 'Deny transfers of objects where StringNotEquals aws:SourceVpce is the endpoint.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html',
  },
  (read) => {
    if (read.role.vpcEndpoint === undefined) return [];
    const ways = [null, 'vpce-0ffffffffffffffff'];
    return [
      ...TRANSFERS.filter((action) =>
        ways.some((way) => !refuses(read, { action, context: { 'aws:SourceVpce': way } })),
      ),
      ...ways.flatMap((way) =>
        refuses(read, { action: 's3:PutObject', by: read.role.arn, context: { 'aws:SourceVpce': way } })
          ? []
          : ['s3:PutObject'],
      ),
    ].map((action) => `${action} is not refused by other ways`);
  },
  ({ vpcEndpoint }) => vpcEndpoint !== undefined,
);
