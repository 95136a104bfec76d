// Only the workload's role writes below its prefix.
import { administratorOf, refuses } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

const WRITES = [
  's3:PutObject',
  's3:PutObjectAcl',
  's3:PutObjectTagging',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
  's3:ReplicateObject',
];

export const bucketOneWriter = roleRule(
  {
    name: 'bucket-one-writer',
    protectsFrom: 'files in the bucket that the writer never made',
    severity: 'high',
    remedy: "Deny writes below the prefix where StringNotEquals aws:PrincipalArn is the role's ARN.",
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html',
  },
  (read) => {
    const strangers = [administratorOf(read), `${read.role.arn}0`];
    return WRITES.filter((action) => strangers.some((by) => !refuses(read, { action, by }))).map(
      (action) => `${action} is not refused to others`,
    );
  },
);
