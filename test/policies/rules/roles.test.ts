// Each weakening of a role's documents is found, by the rules that name it and by no other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoleInReview } from '../../../policies/iam/places.ts';
import { ROLE_RULES } from '../../../policies/rules/roles.ts';
import { findings } from '../../../policies/rules/rule.ts';
import { killRate, shown } from '../mutation.ts';
import { fullRole, sampleRole } from '../sample.ts';
import { roleWeakenings } from './role-weakenings.ts';

function broken(role: unknown): string[] {
  // Weakened copies keep the names of the fields; what is in them is what the rules read themselves.
  return findings(ROLE_RULES, role as RoleInReview).map(({ rule }) => rule.name);
}

test('a role as it is meant breaks no rule, with everything that may be asked for or without', () => {
  assert.deepEqual(broken(sampleRole()), []);
  assert.deepEqual(broken(fullRole()), []);
});

test('each weakening of identity, trust and bucket policy is caught by exactly the rule that names it', (t) => {
  const weakenings = roleWeakenings();
  const rate = killRate(fullRole(), weakenings, broken);
  t.diagnostic(`roles: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
  assert.ok(rate.all >= 100, `${rate.all} weakenings`);
  const named = new Set(weakenings.flatMap(({ rules }) => rules));
  assert.deepEqual(
    ROLE_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
    'rules that no weakening tries',
  );
});

test('a role taken by EKS Pod Identity is held to cluster, namespace, account of Kubernetes and account of AWS', () => {
  const tag = 'aws:RequestTag/';
  const required = {
    [`${tag}eks-cluster-arn`]: 'arn:aws:eks:eu-central-1:111122223333:cluster/staging',
    [`${tag}kubernetes-namespace`]: 'ferry',
    [`${tag}kubernetes-service-account`]: 'file-writer',
    'aws:SourceAccount': '111122223333',
  };
  const withTrust = (condition: Readonly<Record<string, string>>): RoleInReview => ({
    ...sampleRole(),
    trust: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'OneServiceAccount',
          Effect: 'Allow',
          Principal: { Service: 'pods.eks.amazonaws.com' },
          Action: ['sts:AssumeRole', 'sts:TagSession'],
          Condition: { StringEquals: condition },
        },
      ],
    },
  });
  assert.deepEqual(broken(withTrust(required)), []);
  for (const key of Object.keys(required)) {
    const less = Object.fromEntries(Object.entries(required).filter(([name]) => name !== key));
    assert.deepEqual(broken(withTrust(less)), ['trust-exact'], key);
    assert.deepEqual(broken(withTrust({ ...required, [key]: '*' })), ['trust-exact'], key);
  }
});
