// What is stored is encrypted, with a bucket key where KMS is asked.
import { bucketRule } from '../bucket-rule.ts';

export const bucketEncryption = bucketRule(
  {
    name: 'bucket-encryption',
    protectsFrom: 'files readable on a disk, and a call to KMS for every object',
    severity: 'medium',
    remedy: 'Declare AES256, or aws:kms with a key and bucketKeyEnabled.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingEncryption.html (Security Hub S3.17 asks for more, a KMS key: ferry:encryption sse-kms)',
  },
  ({ encryption }) => {
    if (encryption === undefined) return ['no encryption is declared'];
    const { sseAlgorithm, kmsMasterKeyId, bucketKeyEnabled } = encryption;
    if (sseAlgorithm === 'AES256') return [];
    if (sseAlgorithm !== 'aws:kms') return [`the encryption is ${sseAlgorithm}`];
    return [
      ...(kmsMasterKeyId === undefined ? ['no key is named'] : []),
      ...(bucketKeyEnabled === true ? [] : ['the bucket key is off']),
    ];
  },
);
