// The role cannot read what it wrote.
import { forbidden } from '../iam-rule.ts';

export const cannotRead = forbidden(
  'iam-cannot-read',
  'data that leaks through a taken-over writer',
  'Leave s3:Get… to readers; a listing proves what was written.',
  'https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html',
  /^s3:Get/i,
);
