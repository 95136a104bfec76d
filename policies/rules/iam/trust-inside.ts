// Nobody outside may take the role: only the own account's cluster, and only by a token of a pod.
import { grantsOf, roleRule } from '../iam-rule.ts';

/** By whom, and with which calls. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  Federated: ['sts:assumerolewithwebidentity'],
  Service: ['sts:assumerole', 'sts:tagsession'],
};

export const trustInside = roleRule(
  {
    name: 'trust-inside',
    protectsFrom: 'everybody, another account, or another way in taking the role',
    severity: 'high',
    remedy:
      'Trust one OIDC provider of the own account, or pods.eks.amazonaws.com, with the calls they make.',
    reference:
      'Security Hub IAM.28; https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-concepts.html',
  },
  ({ trust, role }) => {
    const account = role.arn.split(':')[4];
    return grantsOf(trust).flatMap((grant) =>
      (grant.principals ?? []).flatMap(({ type, value }) => {
        const provider = /^arn:[a-z-]+:iam::(\d{12}):oidc-provider\/.+$/.exec(value)?.[1];
        const inside =
          (type === 'Federated' && provider === account) ||
          (type === 'Service' && value === 'pods.eks.amazonaws.com');
        if (!inside) return [`${grant.name} trusts ${type === '*' ? 'everybody' : value}`];
        if (grant.otherActions)
          return [`${grant.name} trusts with every call but ${grant.actions.join(', ')}`];
        return grant.actions
          .filter((action) => !CALLS[type]?.includes(action.toLowerCase()))
          .map((action) => `${grant.name} trusts with ${action}`);
      }),
    );
  },
);
