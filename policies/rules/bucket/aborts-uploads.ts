// Unfinished uploads go by themselves.
import { bucketRule, enabled, everywhere } from '../bucket-rule.ts';

export const abortsUploads = bucketRule(
  {
    name: 'bucket-aborts-uploads',
    protectsFrom: 'storage billed for ever for uploads that nobody sees',
    severity: 'medium',
    remedy: 'Add an enabled rule for every object that aborts uploads after 14 days at most.',
    reference:
      'Security Hub S3.13; https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html',
  },
  (bucket) => {
    const days = enabled(bucket)
      .filter(everywhere)
      .flatMap(({ abortIncompleteMultipartUpload: abort }) =>
        abort === undefined ? [] : [abort.daysAfterInitiation],
      );
    const [first] = days.sort((one, other) => one - other);
    if (first === undefined) return ['no rule aborts unfinished uploads everywhere'];
    return first <= 14 ? [] : [`unfinished uploads stay for ${first} days`];
  },
);
