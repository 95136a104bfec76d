// What is overwritten or deleted can be brought back.
import { bucketRule } from '../bucket-rule.ts';

export const bucketVersioning = bucketRule(
  {
    name: 'bucket-versioning',
    protectsFrom: 'data that is gone with one call',
    severity: 'high',
    remedy: 'Set the versioning status Enabled.',
    reference: 'Security Hub S3.14',
  },
  ({ versioning }) => (versioning === 'Enabled' ? [] : [`versioning is ${versioning ?? 'not declared'}`]),
);
