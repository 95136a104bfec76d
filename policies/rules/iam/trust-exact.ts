// A role trusts exactly one service account, whoever vouches for it.

import type { StatementRead } from '../../iam/document.ts';
import { grantsOf, isExact, roleRule, valuesOf } from '../iam-rule.ts';

const PODS = 'pods.eks.amazonaws.com';

export const trustExact = roleRule(
  {
    name: 'trust-exact',
    protectsFrom: 'other service accounts, other namespaces and other users of the token taking the role',
    severity: 'high',
    remedy:
      'Require StringEquals on sub and aud, or on cluster, namespace, service account and aws:SourceAccount.',
    reference: 'https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  },
  ({ trust, role }) =>
    grantsOf(trust).flatMap((grant) =>
      (grant.principals ?? []).flatMap((principal) => {
        const wanted = wantedOf(principal.type, principal.value, role.arn.split(':')[4] ?? '');
        return [...wanted].flatMap(([key, pattern]) => wrong(grant, key, pattern));
      }),
    ),
);

function wantedOf(type: string, value: string, account: string): Map<string, RegExp> {
  const tag = 'aws:RequestTag/';
  if (type === 'Federated') {
    const issuer = value.replace(/^.*:oidc-provider\//, '');
    return new Map([
      [`${issuer}:aud`, /^sts\.amazonaws\.com$/],
      [`${issuer}:sub`, /^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$/],
    ]);
  }
  if (type === 'Service' && value === PODS)
    return new Map([
      [`${tag}eks-cluster-arn`, /^arn:[a-z-]+:eks:/],
      [`${tag}kubernetes-namespace`, /^[a-z0-9-]+$/],
      [`${tag}kubernetes-service-account`, /^[a-z0-9.-]+$/],
      ['aws:SourceAccount', new RegExp(`^${account}$`)],
    ]);
  return new Map();
}

function wrong(grant: StatementRead, key: string, pattern: RegExp): string[] {
  const values = valuesOf(grant, 'StringEquals', key);
  if (values === undefined) return [`${grant.name} does not require ${key} by StringEquals`];
  if (values.length === 1 && values.every((value) => isExact(value) && pattern.test(value))) return [];
  return [`${grant.name} takes ${values.join(' or ')} for ${key}`];
}
