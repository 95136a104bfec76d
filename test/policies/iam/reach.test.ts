// What a role can reach of all that AWS has: exactly what its documents name, proved over every action.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type ActionFacts, readActionFacts } from '../../../policies/iam/facts.ts';
import { type Reach, reachOf, readRole } from '../../../policies/iam/reach.ts';
import { fullRole, sampleRole } from '../sample.ts';

let facts: ActionFacts;
before(async () => {
  facts = await readActionFacts();
});

function names({ allowed }: Reach): string[] {
  return allowed.map(({ action, resource, place }) => `${action} ${resource} ${place}`).sort();
}

test('of every action there is, the role reaches writing, giving up and listing, nothing else', () => {
  assert.ok(facts.actions.length > 22_000, `${facts.actions.length} actions`);
  const startedMs = performance.now();
  const reach = reachOf(readRole(sampleRole()), facts.actions);
  assert.ok(performance.now() - startedMs < 30_000);
  assert.ok(reach.decisions > 40_000, `${reach.decisions} decisions`);
  assert.deepEqual(names(reach), [
    's3:AbortMultipartUpload s3/object own data',
    's3:ListBucket s3/bucket own bucket',
    's3:PutObject s3/object own data',
  ]);
});

test('each reach comes with what must hold, of the grant and of every refusal', () => {
  const { allowed } = reachOf(readRole(sampleRole()), facts.actions);
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
  const reach = reachOf(readRole(fullRole()), facts.actions);
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
  const role = sampleRole();
  // The sample's own shape.
  const identity = structuredClone(role.identity) as {
    Statement: { Resource: string[]; Action: string[] }[];
  };
  const [write] = identity.Statement;
  assert.ok(write);
  write.Resource = ['*'];
  write.Action = ['s3:PutObject', 's3:GetObject'];
  const reached = names(reachOf(readRole({ ...role, identity }), facts.actions));
  for (const place of ['own data', 'own bucket, other prefix', 'other bucket', 'other account']) {
    assert.ok(reached.includes(`s3:GetObject s3/object ${place}`), place);
    assert.ok(reached.includes(`s3:PutObject s3/object ${place}`), place);
  }
  assert.ok(reached.includes('s3:PutObject s3/accesspointobject other account'));
});

test('a policy for everything reaches most of AWS, the own bucket still refusing what it refuses', () => {
  const everything = { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' };
  const identity = { Version: '2012-10-17', Statement: [everything] };
  const reached = new Set(names(reachOf(readRole({ ...sampleRole(), identity }), facts.actions)));
  assert.ok(reached.size > 30_000);
  assert.ok(reached.has('iam:CreateUser iam/user own account'));
  assert.ok(reached.has('s3:DeleteObject s3/object other bucket'));
  assert.ok(!reached.has('s3:DeleteObject s3/object own data'));
  assert.ok(!reached.has('sts:AssumeRole iam/role own role'));
});
