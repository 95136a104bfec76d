// Nothing reaches the bucket over a plain connection.
import { refuses, TRIED } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

export const bucketTls = roleRule(
  {
    name: 'bucket-tls',
    protectsFrom: 'files and signatures that can be read and changed on the way',
    severity: 'high',
    remedy: 'Deny s3:* on bucket and objects where Bool aws:SecureTransport is false, to everybody.',
    reference: 'Security Hub S3.5; CIS AWS 3.0.0/2.1.1',
  },
  (read) =>
    TRIED.filter((each) => !refuses(read, { ...each, context: { 'aws:SecureTransport': 'false' } })).map(
      ({ action }) => `${action} is not refused without TLS`,
    ),
);
