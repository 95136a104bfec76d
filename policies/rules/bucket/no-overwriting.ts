// An object, once written, is never overwritten: a PUT without If-None-Match is refused, parts of an upload are not.
import { refuses } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

export const noOverwriting = roleRule(
  {
    name: 'bucket-no-overwriting',
    protectsFrom: 'an object replaced by other content under its name',
    severity: 'high',
    remedy:
      'Deny s3:PutObject below the prefix where s3:ObjectCreationOperation is true and s3:if-none-match is absent.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html',
  },
  (read) => {
    const put = (creates: string, ifNoneMatch: string | null): boolean =>
      refuses(read, {
        action: 's3:PutObject',
        by: read.role.arn,
        context: { 's3:ObjectCreationOperation': creates, 's3:if-none-match': ifNoneMatch },
      });
    return [
      ...(put('true', null) ? [] : ['a PUT without If-None-Match is not refused']),
      ...(put('true', '*') ? ['a PUT with If-None-Match is refused'] : []),
      ...(put('false', null) ? ['a part of an upload is refused'] : []),
    ];
  },
);
