// Nothing in the bucket can be made public, by mistake neither.
import { bucketRule } from '../bucket-rule.ts';

export const publicAccess = bucketRule(
  {
    name: 'bucket-public-access',
    protectsFrom: 'files that anybody can read',
    severity: 'high',
    remedy: 'Set all four flags of the public access block.',
    reference: 'Security Hub S3.8; CIS AWS 3.0.0/2.1.4',
  },
  ({ publicAccessBlock = {} }) =>
    ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets']
      .filter((flag) => publicAccessBlock[flag] !== true)
      .map((flag) => `${flag} is not set`),
);
