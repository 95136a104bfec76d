// Neither pulumi destroy nor a renamed resource takes the bucket away.
import { bucketRule } from '../bucket-rule.ts';

export const bucketProtected = bucketRule(
  {
    name: 'bucket-protected',
    protectsFrom: 'the data and its guards deleted with a stack',
    severity: 'high',
    remedy: 'Set protect true and forceDestroy false.',
    reference: 'https://www.pulumi.com/docs/iac/concepts/options/protect/',
  },
  ({ protect, forceDestroy }) => [
    ...(protect === false ? ['it is not protected'] : []),
    ...(forceDestroy === true ? ['forceDestroy deletes it with all objects'] : []),
  ],
);
