// Nothing reaches the bucket over an old TLS.
import { refuses, TRIED } from '../bucket-policy-rule.ts';
import { roleRule } from '../iam-rule.ts';

export const bucketTlsVersion = roleRule(
  {
    name: 'bucket-tls-version',
    protectsFrom: 'connections that broken versions of TLS protect',
    severity: 'low',
    remedy: 'Deny s3:* on bucket and objects where NumericLessThan s3:TlsVersion 1.2, to everybody.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#example-object-tls-version',
  },
  (read) =>
    TRIED.filter((each) => !refuses(read, { ...each, context: { 's3:TlsVersion': '1.1' } })).map(
      ({ action }) => `${action} is not refused over TLS 1.1`,
    ),
);
