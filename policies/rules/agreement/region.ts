// A pod asks S3 in the region of its bucket.
import { goalOf, roleAgreement } from '../agreement-rule.ts';

export const agreeRegion = roleAgreement(
  {
    name: 'agree-region',
    protectsFrom: 'a pod that asks another region than that of its bucket and key',
    severity: 'medium',
    remedy: 'Let --region, or AWS_REGION, name the region of the bucket.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html',
  },
  (acting) => {
    const { role } = acting;
    const { region } = goalOf(acting);
    return region === role.region ? [] : [`it asks ${region}, the bucket is in ${role.region}`];
  },
);
