// A pod writes where the policies let it, into the bucket that is made.
import { goalOf, roleAgreement } from '../agreement-rule.ts';

export const agreeBucket = roleAgreement(
  {
    name: 'agree-bucket',
    protectsFrom: 'a pod that writes where it may not, or where nothing guards its files',
    severity: 'high',
    remedy: 'Let --to, or s3_bucket and s3_key of events, name the bucket and the prefix of the policies.',
    reference: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html',
  },
  (acting) => {
    const { role, sides } = acting;
    const { bucket, prefix } = role;
    const { to } = goalOf(acting);
    const wanted = `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`;
    const made = sides.bucket?.bucket;
    return [
      ...(to === wanted ? [] : [`it writes to ${to}, the policies are about ${wanted}`]),
      ...(made === bucket ? [] : [`it writes to ${bucket}, the bucket that is made is ${made ?? 'none'}`]),
    ];
  },
);
