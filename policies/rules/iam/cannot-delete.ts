// The role cannot delete what it wrote, by a rule of the bucket neither.
import { forbidden } from '../iam-rule.ts';

export const cannotDelete = forbidden(
  'iam-cannot-delete',
  'data that a taken-over writer deletes',
  'Leave s3:Delete… and lifecycle rules to people.',
  'https://github.com/thanos-io/thanos/issues/3744',
  /^s3:(Delete|PutLifecycle)/i,
);
