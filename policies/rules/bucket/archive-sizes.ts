// Only objects move whose move pays.
import { bucketRule, enabled } from '../bucket-rule.ts';

export const archiveSizes = bucketRule(
  {
    name: 'bucket-archive-sizes',
    protectsFrom: 'a bill that grows because small objects are archived',
    severity: 'low',
    remedy: 'Filter transitions by objectSizeGreaterThan, 128 KiB at least.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html',
  },
  (bucket) =>
    enabled(bucket).flatMap(({ id, transitions = [], filter = {} }) => {
      const least = filter.and?.objectSizeGreaterThan ?? filter.objectSizeGreaterThan ?? 0;
      return transitions.length === 0 || least >= 128 * 1024 - 1
        ? []
        : [`${id} moves objects of more than ${least} bytes`];
    }),
);
