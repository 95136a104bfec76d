// The bucket's policy refuses only: what is granted stands with the role.
import { grantsOf, roleRule } from '../iam-rule.ts';

export const grantsNothing = roleRule(
  {
    name: 'bucket-grants-nothing',
    protectsFrom: 'a grant to everybody or another account that no role shows',
    severity: 'high',
    remedy: 'Grant by the policies of roles.',
    reference: 'Security Hub S3.2, S3.3, S3.6',
  },
  ({ bucketPolicy }) =>
    grantsOf(bucketPolicy).map(
      ({ name, actions, principals = [] }) =>
        `${name} allows ${actions.join(', ')} to ${principals.map(({ value }) => value).join(', ')}`,
    ),
);
