// What a role can reach of all that AWS has: exactly what its documents name, proved over every action.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type ActionFacts, readActionFacts } from '../../../policies/iam/facts.ts';
import type { RoleInReview } from '../../../policies/iam/places.ts';
import { decisionAt, type Reach, reachOf, readRole } from '../../../policies/iam/reach.ts';
import { eventsRoleOf, FULL, PLAIN, roleOf, targetWith } from '../program.ts';

/** Of an account that bounds every role by a policy of its own. */
const boundary = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Fence', Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: ['*'] }],
};

let facts: ActionFacts;
let plain: RoleInReview;
let full: RoleInReview;
let events: RoleInReview;
let plainReach: Reach;
before(async () => {
  facts = await readActionFacts();
  const target = await targetWith(PLAIN);
  plain = roleOf(target);
  events = eventsRoleOf(target);
  full = { ...roleOf(await targetWith(FULL)), boundary };
});

function names({ allowed }: Reach): string[] {
  return allowed.map(({ action, resource, place }) => `${action} ${resource} ${place}`).sort();
}

test('of every action there is, the role reaches writing, giving up and listing, nothing else', () => {
  assert.ok(facts.actions.length > 22_000, `${facts.actions.length} actions`);
  const startedMs = performance.now();
  plainReach = reachOf(readRole(plain), facts.actions);
  assert.ok(performance.now() - startedMs < 30_000);
  assert.ok(plainReach.decisions > 40_000, `${plainReach.decisions} decisions`);
  assert.deepEqual(names(plainReach), [
    's3:AbortMultipartUpload s3/object own data',
    's3:ListBucket s3/bucket own bucket',
    's3:PutObject s3/object own data',
  ]);
});

test('the role of events reaches the same below its own prefix, and nothing of the files', () => {
  const reach = reachOf(readRole(events), facts.actions);
  assert.deepEqual(names(reach), names(plainReach));
  assert.deepEqual([plain.prefix, events.prefix], ['site-1', 'events']);
  const account = '111122223333';
  for (const [role, prefix] of [
    [events, 'site-1'],
    [plain, 'events'],
  ] as const) {
    const arn = `arn:aws:s3:::acme-ferry/${prefix}/file`;
    assert.equal(decisionAt(readRole(role), 's3:PutObject', { arn, account }).outcome, 'denied', role.arn);
  }
});

test('each reach comes with what must hold, of the grant and of every refusal', () => {
  const { allowed } = plainReach;
  const put = allowed.find(({ action }) => action === 's3:PutObject');
  assert.equal(put?.because, 'WriteObjects of the identity policy allows it');
  assert.deepEqual(put?.conditions, [
    'not (Bool aws:SecureTransport false), by RefusePlainConnections',
    'not (NumericLessThan s3:TlsVersion 1.2), by RefuseOldTls',
    'not (Bool s3:ObjectCreationOperation true and Null s3:if-none-match true), by RefuseOverwriting',
  ]);
  const list = allowed.find(({ action }) => action === 's3:ListBucket');
  assert.ok(list?.conditions.includes('StringLike s3:prefix site-1/*'));
});

test('with a key of its own the role reaches that key through S3, no other', () => {
  const reach = reachOf(readRole(full), facts.actions);
  assert.deepEqual(names(reach), [
    'kms:Decrypt kms/key own key',
    'kms:GenerateDataKey kms/key own key',
    's3:AbortMultipartUpload s3/object own data',
    's3:ListBucket s3/bucket own bucket',
    's3:PutObject s3/object own data',
  ]);
  for (const { action, conditions } of reach.allowed) {
    const way = action.startsWith('kms:')
      ? 'StringEquals kms:ViaService s3.eu-central-1.amazonaws.com'
      : 'StringEquals aws:SourceVpce vpce-0123456789abcdef0';
    assert.ok(conditions.includes(way), action);
  }
});

test('one wildcard too many is seen in every place that it opens', () => {
  // The shape that infra/documents gives it.
  const identity = structuredClone(plain.identity) as {
    Statement: { Resource: string[]; Action: string[] }[];
  };
  const [write] = identity.Statement;
  assert.ok(write);
  write.Resource = ['*'];
  write.Action = ['s3:PutObject', 's3:GetObject'];
  const reached = names(reachOf(readRole({ ...plain, identity }), facts.actions));
  for (const place of ['own data', 'own bucket, other prefix', 'other bucket', 'other account']) {
    assert.ok(reached.includes(`s3:GetObject s3/object ${place}`), place);
    assert.ok(reached.includes(`s3:PutObject s3/object ${place}`), place);
  }
  assert.ok(reached.includes('s3:PutObject s3/accesspointobject other account'));
});

test('a policy for everything reaches most of AWS, the own bucket still refusing what it refuses', () => {
  const everything = { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' };
  const identity = { Version: '2012-10-17', Statement: [everything] };
  const reached = new Set(names(reachOf(readRole({ ...plain, identity }), facts.actions)));
  assert.ok(reached.size > 30_000);
  assert.ok(reached.has('iam:CreateUser iam/user own account'));
  assert.ok(reached.has('s3:DeleteObject s3/object other bucket'));
  assert.ok(!reached.has('s3:DeleteObject s3/object own data'));
  assert.ok(!reached.has('sts:AssumeRole iam/role own role'));
});
