// No permission beyond the calls that the program makes.
import { grantsOf, isExact, roleRule } from '../iam-rule.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html, for the calls of app/core. */
const NEEDED = ['s3:putobject', 's3:abortmultipartupload', 's3:listbucket'];
/** Asked by S3 on the role's behalf: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
const NEEDED_WITH_KEY = ['kms:generatedatakey', 'kms:decrypt'];

/** Each has a rule of its own, which says what it would do. */
const NAMED_ELSEWHERE = /^s3:(Get|Delete|Put(Bucket|Object.|Access|Public|Lifecycle))|^(iam|sts):/i;

export const leastActions = roleRule(
  {
    name: 'iam-least-actions',
    protectsFrom: 'permissions that are there for no call, or calls without a permission',
    severity: 'medium',
    remedy:
      'Allow PutObject, AbortMultipartUpload and ListBucket, with a key GenerateDataKey and Decrypt; no more.',
    reference: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege',
  },
  ({ identity, role }) => {
    const needed = [...NEEDED, ...(role.kmsKey === undefined ? [] : NEEDED_WITH_KEY)];
    const grants = grantsOf(identity);
    const allowed = grants.flatMap(({ actions }) => actions);
    const wide = grants.some(({ actions, otherActions }) => otherActions || !actions.every(isExact));
    const given = allowed.map((action) => action.toLowerCase());
    return [
      ...allowed
        .filter((action) => isExact(action) && !wide)
        .filter((action) => !needed.includes(action.toLowerCase()) && !NAMED_ELSEWHERE.test(action))
        .map((action) => `no call needs ${action}`),
      ...needed
        .filter((action) => !wide && !given.includes(action))
        .map((action) => `${action} is not allowed`),
    ];
  },
);
