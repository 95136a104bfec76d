// The key serves S3 in the bucket's region; the role itself cannot use it.
import { grantsOf, roleRule, valuesOf } from '../iam-rule.ts';

export const keyThroughS3 = roleRule(
  {
    name: 'iam-key-through-s3',
    protectsFrom: 'decrypting with the key whatever else it has encrypted',
    severity: 'medium',
    remedy: 'Allow kms actions with StringEquals kms:ViaService s3.<region>.amazonaws.com only.',
    reference:
      'https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service; Security Hub KMS.2',
  },
  ({ identity, role: { region } }) =>
    grantsOf(identity).flatMap((grant) => {
      if (!grant.actions.some((action) => /^kms:/i.test(action))) return [];
      const ways = valuesOf(grant, 'StringEquals', 'kms:ViaService');
      const right = [`s3.${region}.amazonaws.com`, `s3.${region}.amazonaws.com.cn`];
      if (ways?.length === 1 && ways.every((way) => right.includes(way))) return [];
      return [`${grant.name} gives the key through ${ways?.join(', ') ?? 'any service'}`];
    }),
  ({ kmsKey }) => kmsKey !== undefined,
);
