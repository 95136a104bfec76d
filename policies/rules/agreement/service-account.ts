// The role trusts the pod that is deployed.

import { accountOf, roleAgreement, trustedBy } from '../agreement-rule.ts';
import { understood } from '../iam-rule.ts';

export const agreeServiceAccount = roleAgreement(
  {
    name: 'agree-service-account',
    protectsFrom: 'a role that trusts another pod than the one deployed',
    severity: 'high',
    remedy: 'Let the trust name the namespace and the service account of the pod.',
    reference: 'https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  },
  ({ pod, role }) => {
    if (typeof understood(role) === 'string') return [];
    const trusted = trustedBy(role);
    const account = accountOf(pod);
    return trusted.includes(account)
      ? []
      : [`the pod is ${account}, the role trusts ${trusted.join(', ') || 'none'}`];
  },
);
