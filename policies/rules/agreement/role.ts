// A pod asks for the role that was made for it.
import { roleAgreement } from '../agreement-rule.ts';

const ROLE = 'eks.amazonaws.com/role-arn';

export const agreeRole = roleAgreement(
  {
    name: 'agree-role',
    protectsFrom: 'a pod that asks for another role than the one that was made',
    severity: 'high',
    remedy: `Let the annotation ${ROLE} of the service account name the role.`,
    reference: 'https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  },
  ({ pod, role, sides }) => {
    const account = sides.yaml.objects.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === pod.spec.serviceAccountName,
    );
    const named = account?.metadata.annotations[ROLE];
    return named === undefined || named === role.arn ? [] : [`it takes ${named}, the role is ${role.arn}`];
  },
);
