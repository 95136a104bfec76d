// Who may take the role: the documents as IAM gets them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roleName } from '../../../infra/documents/policy.ts';
import { irsaTrust, podIdentityTrust, providerArn } from '../../../infra/documents/trust.ts';
import { ACCOUNT, ISSUER, ROLE } from './samples.ts';

const NAME = 'oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF';

test('with IRSA exactly one service account of one cluster takes the role, with a token made for STS', () => {
  assert.deepEqual(irsaTrust(ROLE, ISSUER, ACCOUNT), {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'OneServiceAccount',
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${NAME}` },
        Action: ['sts:AssumeRoleWithWebIdentity'],
        Condition: {
          StringEquals: {
            [`${NAME}:aud`]: 'sts.amazonaws.com',
            [`${NAME}:sub`]: 'system:serviceaccount:ferry:file-writer',
          },
        },
      },
    ],
  });
});

test('with Pod Identity exactly one service account of one cluster takes the role', () => {
  const cluster = 'arn:aws:eks:eu-central-1:111122223333:cluster/staging';
  assert.deepEqual(podIdentityTrust(ROLE, cluster, ACCOUNT).Statement, [
    {
      Sid: 'OneServiceAccount',
      Effect: 'Allow',
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Condition: {
        StringEquals: {
          'aws:RequestTag/eks-cluster-arn': cluster,
          'aws:RequestTag/kubernetes-namespace': 'ferry',
          'aws:RequestTag/kubernetes-service-account': 'file-writer',
          'aws:SourceAccount': '111122223333',
        },
      },
    },
  ]);
});

test('the issuer is known to IAM without its scheme, in the role’s own account and partition', () => {
  const role = roleName('arn:aws-cn:iam::444455556666:role/team/ferry');
  assert.deepEqual(role, {
    arn: 'arn:aws-cn:iam::444455556666:role/team/ferry',
    partition: 'aws-cn',
    account: '444455556666',
    path: '/team/',
    name: 'ferry',
  });
  assert.equal(
    providerArn(role, 'https://oidc.example.org/id/A/'),
    'arn:aws-cn:iam::444455556666:oidc-provider/oidc.example.org/id/A',
  );
  assert.throws(() => roleName('arn:aws:iam::1:user/x'), /is no role's ARN/);
});
