// Nothing deletes the data itself.
import { bucketRule, enabled } from '../bucket-rule.ts';

export const keepsData = bucketRule(
  {
    name: 'bucket-keeps-data',
    protectsFrom: 'data that S3 deletes, and nobody is asked again',
    severity: 'high',
    remedy: 'Remove the expiration, or waive this with the reason and the owner of the decision.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html',
  },
  (bucket) =>
    enabled(bucket)
      .filter(({ expiration }) => expiration?.days !== undefined)
      .map(({ id, expiration }) => `${id} deletes objects after ${expiration?.days} days`),
);
