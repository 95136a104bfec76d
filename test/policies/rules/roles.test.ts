// Each weakening of the documents that the program declares is found, by the rules that name it and by no other.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { RoleInReview } from '../../../policies/iam/places.ts';
import { ROLE_RULES } from '../../../policies/rules/roles.ts';
import { findings } from '../../../policies/rules/rule.ts';
import type { TargetInReview } from '../../../policies/target.ts';
import { drop, killRate, put, set, shown } from '../mutation.ts';
import { FULL, PLAIN, roleOf, targetWith } from '../program.ts';
import { roleWeakenings } from './role-weakenings.ts';

const BREAK_GLASS = 'arn:aws:iam::111122223333:role/break-glass';

let plain: RoleInReview;
let full: TargetInReview;
let podIdentity: RoleInReview;
let breakGlass: RoleInReview;
before(async () => {
  plain = roleOf(await targetWith(PLAIN));
  full = await targetWith(FULL);
  podIdentity = roleOf(await targetWith({ ...PLAIN, 'web-identity': 'pod-identity' }));
  breakGlass = roleOf(await targetWith({ ...PLAIN, 'break-glass-role': BREAK_GLASS }));
});

function broken(role: unknown): string[] {
  // Weakened copies keep the names of the fields; what is in them is what the rules read themselves.
  return findings(ROLE_RULES, role as RoleInReview).map(({ rule }) => rule.name);
}

test('the documents of the program break no rule, with everything that may be asked for or without', () => {
  for (const role of [plain, ...full.roles, podIdentity, breakGlass]) assert.deepEqual(broken(role), []);
});

for (const [whose, index] of [
  ['files', 0],
  ['events', 1],
] as const)
  test(`each weakening of what the role of ${whose} has is caught by exactly the rule that names it`, (t) => {
    const role = full.roles[index] ?? assert.fail('no such role');
    const weakenings = roleWeakenings(role);
    const rate = killRate(role, weakenings, broken);
    t.diagnostic(`role of ${whose}: ${shown(rate)}`);
    assert.deepEqual(rate.wrong, []);
    assert.ok(rate.all >= 100, `${rate.all} weakenings`);
    const named = new Set(weakenings.flatMap(({ rules }) => rules));
    assert.deepEqual(
      ROLE_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
      [],
      'rules that no weakening tries',
    );
  });

test('a role taken by EKS Pod Identity is held to cluster, namespace, account of Kubernetes and account of AWS', (t) => {
  const equals = ['trust', 'Statement', 0, 'Condition', 'StringEquals'];
  const keys = [
    ...['eks-cluster-arn', 'kubernetes-namespace', 'kubernetes-service-account'].map(
      (tag) => `aws:RequestTag/${tag}`,
    ),
    'aws:SourceAccount',
  ];
  const weakenings = keys.flatMap((key) => [
    drop(key, [...equals, key], 'trust-exact'),
    ...['*', '?', ['a', 'b']].map((value) => set(key, [...equals, key], value, 'trust-exact')),
  ]);
  const rate = killRate(podIdentity, weakenings, broken);
  t.diagnostic(`Pod Identity: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
});

test('whoever may delete is one named role', (t) => {
  const statements = (breakGlass.bucketPolicy as { Statement: { Sid: string }[] }).Statement;
  const index = statements.findIndex(({ Sid }) => Sid === 'RefuseDeleting');
  const path = ['bucketPolicy', 'Statement', index, 'Condition'];
  const rate = killRate(
    breakGlass,
    [
      ...['*', 'arn:aws:iam::111122223333:role/*'].map((value) =>
        set('break glass', path, { StringNotLike: { 'aws:PrincipalArn': value } }, 'bucket-no-deleting'),
      ),
      set('another', [...path, 'StringNotEquals', 'aws:PrincipalArn'], plain.arn, 'bucket-no-deleting'),
      drop('refusal', ['bucketPolicy', 'Statement', index], 'bucket-no-deleting'),
    ],
    broken,
  );
  t.diagnostic(`break glass: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
});

test('a boundary that is not understood is no boundary', () => {
  const copy = structuredClone(plain);
  put(copy, ['boundary'], { Version: '2012-10-17', Statement: [{ Effect: 'Allow', NotPrincipal: '*' }] });
  assert.deepEqual(broken(copy), ['iam-understood']);
});
