// The role can give nobody access, itself included.
import { forbidden } from '../iam-rule.ts';

export const cannotGrant = forbidden(
  'iam-cannot-grant',
  'a role that gives itself or others more than it has',
  'Leave policies, access lists, tags and roles to people.',
  'Security Hub IAM.1; https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html',
  /^(iam|sts):|^s3:Put(Bucket|Object.|Access|Public)/i,
);
