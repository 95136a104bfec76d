// Where a VPC endpoint is the only way, each grant and the bucket say so.
import { grantsOf, roleRule, valuesOf } from '../iam-rule.ts';

export const oneWayIn = roleRule(
  {
    name: 'iam-one-way-in',
    protectsFrom: 'the role’s credentials at work outside of the network',
    severity: 'high',
    remedy: 'Require StringEquals aws:SourceVpce on every grant of S3.',
    reference:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html',
  },
  ({ identity, role: { vpcEndpoint } }) =>
    grantsOf(identity).flatMap((grant) => {
      if (vpcEndpoint === undefined || !grant.actions.some((action) => /^s3:/i.test(action))) return [];
      const ways = valuesOf(grant, 'StringEquals', 'aws:SourceVpce');
      if (ways?.length === 1 && ways[0] === vpcEndpoint) return [];
      return [`${grant.name} holds through ${ways?.join(', ') ?? 'any way'}, not ${vpcEndpoint} alone`];
    }),
  ({ vpcEndpoint }) => vpcEndpoint !== undefined,
);
