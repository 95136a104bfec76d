// What was deleted stays long enough to be missed, and not for ever.
import { bucketRule, enabled, everywhere } from '../bucket-rule.ts';

export const oldVersions = bucketRule(
  {
    name: 'bucket-old-versions',
    protectsFrom: 'a deletion found out too late, or old versions billed for ever',
    severity: 'medium',
    remedy: 'Add an enabled rule for every object that expires old versions after 30 days or more.',
    reference: 'Security Hub S3.13',
  },
  (bucket) => {
    const rules = enabled(bucket).filter(({ noncurrentVersionExpiration: old }) => old !== undefined);
    return [
      ...(rules.some(everywhere) ? [] : ['no rule expires old versions everywhere']),
      ...rules.flatMap(({ id, noncurrentVersionExpiration: old }) =>
        old !== undefined && old.noncurrentDays < 30
          ? [`${id} keeps old versions for ${old.noncurrentDays} days only`]
          : [],
      ),
    ];
  },
);
