// Nobody deletes below the prefix, administrators included; but one role, where there is one for emergencies.
import { administratorOf, refuses } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

const DELETES = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:DeleteObjectTagging'];

export const noDeleting = roleRule(
  {
    name: 'bucket-no-deleting',
    protectsFrom: 'data deleted by mistake, by a script, or by whoever took over an account',
    severity: 'high',
    remedy:
      'Deny s3:DeleteObject, s3:DeleteObjectVersion and s3:DeleteObjectTagging below the prefix to everybody.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html',
  },
  (read) => {
    const all = [
      administratorOf(read),
      read.role.arn,
      ...(read.role.breakGlass ? [`${read.role.breakGlass}0`] : []),
    ];
    return DELETES.filter((action) => all.some((by) => !refuses(read, { action, by }))).map(
      (action) => `${action} is not refused`,
    );
  },
);
