// Who may take the workload's role: exactly one service account of exactly one cluster.
import { type PolicyDocument, policy, type RoleName } from './policy.ts';

/** A pod's account as Kubernetes knows it. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** What STS expects a token to be made for. */
const AUDIENCE = 'sts.amazonaws.com';

/** `https://oidc.eks.eu-central-1.amazonaws.com/id/ABC` -> the name IAM knows the provider by, without `https://`. */
export function issuerName(issuer: string): string {
  return issuer.replace(/^https:\/\//, '').replace(/\/+$/, '');
}

export function providerArn(role: RoleName, issuer: string): string {
  return `arn:${role.partition}:iam::${role.account}:oidc-provider/${issuerName(issuer)}`;
}

/**
 * IRSA: the token's subject and audience, both exactly.
 * https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
 */
export function irsaTrust(role: RoleName, issuer: string, account: ServiceAccount): PolicyDocument {
  const name = issuerName(issuer);
  return policy({
    Sid: 'OneServiceAccount',
    Effect: 'Allow',
    Principal: { Federated: providerArn(role, issuer) },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: {
      StringEquals: {
        [`${name}:aud`]: AUDIENCE,
        [`${name}:sub`]: `system:serviceaccount:${account.namespace}:${account.name}`,
      },
    },
  });
}

/**
 * EKS Pod Identity: the agent's service takes the role, and tags the session with where the pod is.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
 */
export function podIdentityTrust(
  role: RoleName,
  clusterArn: string,
  account: ServiceAccount,
): PolicyDocument {
  return policy({
    Sid: 'OneServiceAccount',
    Effect: 'Allow',
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: {
      StringEquals: {
        'aws:RequestTag/eks-cluster-arn': clusterArn,
        'aws:RequestTag/kubernetes-namespace': account.namespace,
        'aws:RequestTag/kubernetes-service-account': account.name,
        'aws:SourceAccount': role.account,
      },
    },
  });
}
