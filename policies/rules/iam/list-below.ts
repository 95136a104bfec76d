// A listing shows the own prefix only.
import { grantsOf, roleRule, valuesOf } from '../iam-rule.ts';

export const listBelow = roleRule(
  {
    name: 'iam-list-below',
    protectsFrom: 'the names of other sites’ files',
    severity: 'medium',
    remedy: 'Allow s3:ListBucket with StringLike s3:prefix <prefix>/* only.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-policies-s3.html#condition-key-bucket-ops-2',
  },
  ({ identity, role: { prefix } }) =>
    grantsOf(identity).flatMap((grant) => {
      if (prefix === undefined || !grant.actions.some((action) => action.toLowerCase() === 's3:listbucket'))
        return [];
      const shown = valuesOf(grant, 'StringLike', 's3:prefix');
      if (shown?.every((value) => value === `${prefix}/*`)) return [];
      return [`${grant.name} lists ${shown?.join(', ') ?? 'the whole bucket'}, not ${prefix}/* alone`];
    }),
  ({ prefix }) => prefix !== undefined,
);
