// Access lists have no say: what is granted stands in policies.
import { bucketRule } from '../bucket-rule.ts';

export const bucketOwner = bucketRule(
  {
    name: 'bucket-owner',
    protectsFrom: 'objects that their writer owns and shares by access lists',
    severity: 'medium',
    remedy: 'Set objectOwnership BucketOwnerEnforced.',
    reference: 'Security Hub S3.12',
  },
  ({ objectOwnership }) =>
    objectOwnership === 'BucketOwnerEnforced'
      ? []
      : [`object ownership is ${objectOwnership ?? 'not declared'}`],
);
