// What the bucket refuses, statement by statement.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BucketGuards, bucketPolicy } from '../../../infra/documents/bucket.ts';
import { BREAK_GLASS, ENDPOINT, PLACE, ROLE } from './samples.ts';

const GUARDS: BucketGuards = { ...PLACE, writer: ROLE.arn };
const BUCKET = 'arn:aws:s3:::acme-ferry';

function statement(sid: string, guards: BucketGuards = GUARDS) {
  return bucketPolicy(guards).Statement.find((one) => one.Sid === sid) ?? assert.fail(`no ${sid}`);
}

test('the bucket’s policy grants nothing to anybody and refuses all alike', () => {
  const all: BucketGuards = { ...GUARDS, breakGlass: BREAK_GLASS, vpcEndpoint: ENDPOINT };
  for (const one of bucketPolicy(all).Statement) {
    assert.equal(one.Effect, 'Deny', one.Sid);
    assert.equal(one.Principal, '*', one.Sid);
  }
  const sids = bucketPolicy(all).Statement.map(({ Sid }) => Sid);
  assert.equal(new Set(sids).size, sids.length);
});

test('plain connections and TLS below 1.2 are refused for everything', () => {
  for (const [sid, condition] of [
    ['RefusePlainConnections', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['RefuseOldTls', { NumericLessThan: { 's3:TlsVersion': '1.2' } }],
  ] as const) {
    const { Action, Resource, Condition } = statement(sid);
    assert.deepEqual(
      { Action, Resource, Condition },
      { Action: ['s3:*'], Resource: [BUCKET, `${BUCKET}/*`], Condition: condition },
    );
  }
});

test('below the prefix nothing is written that could overwrite; parts of a large upload are exempt', () => {
  const { Action, Resource, Condition } = statement('RefuseOverwriting');
  assert.deepEqual(Action, ['s3:PutObject']);
  assert.deepEqual(Resource, [`${BUCKET}/site-1/*`]);
  assert.deepEqual(Condition, {
    Bool: { 's3:ObjectCreationOperation': 'true' },
    Null: { 's3:if-none-match': 'true' },
  });
});

test('below the prefix nobody but the workload’s role writes, tags, locks or opens an object', () => {
  const { Action, Resource, Condition } = statement('RefuseOtherWriters');
  for (const action of ['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectTagging', 's3:ReplicateObject'])
    assert.ok(Action.includes(action), action);
  assert.deepEqual(Resource, [`${BUCKET}/site-1/*`]);
  assert.deepEqual(Condition, { StringNotEquals: { 'aws:PrincipalArn': ROLE.arn } });
});

test('below the prefix nobody deletes, or only the break-glass role', () => {
  const nobody = statement('RefuseDeleting');
  for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion'])
    assert.ok(nobody.Action.includes(action), action);
  assert.deepEqual(nobody.Resource, [`${BUCKET}/site-1/*`]);
  assert.equal(nobody.Condition, undefined);
  assert.deepEqual(statement('RefuseDeleting', { ...GUARDS, breakGlass: BREAK_GLASS }).Condition, {
    StringNotEquals: { 'aws:PrincipalArn': BREAK_GLASS },
  });
});

test('with a VPC endpoint objects come and go through it alone, while the bucket is managed from anywhere', () => {
  assert.equal(
    bucketPolicy(GUARDS).Statement.some(({ Sid }) => Sid === 'RefuseOtherWays'),
    false,
  );
  const { Action, Resource, Condition } = statement('RefuseOtherWays', { ...GUARDS, vpcEndpoint: ENDPOINT });
  assert.ok(Action.includes('s3:GetObject') && Action.includes('s3:PutObject'));
  assert.ok(Action.every((action) => !/Bucket|Configuration|\*/.test(action)));
  assert.deepEqual(Resource, [`${BUCKET}/site-1/*`]);
  assert.deepEqual(Condition, { StringNotEquals: { 'aws:SourceVpce': ENDPOINT } });
});

test('another prefix has the same guards, and a writer of its own', () => {
  const other = 'arn:aws:iam::111122223333:role/ferry-events';
  const both = { ...GUARDS, others: [{ prefix: 'events', writer: other }] };
  const data = [`${BUCKET}/site-1/*`, `${BUCKET}/events/*`];
  for (const sid of ['RefuseOverwriting', 'RefuseDeleting'])
    assert.deepEqual(statement(sid, both).Resource, data, sid);
  const ways = statement('RefuseOtherWays', { ...both, vpcEndpoint: ENDPOINT });
  assert.deepEqual(ways.Resource, data);
  const [files, events] = ['RefuseOtherWriters', 'RefuseOtherWriters2'].map((sid) => statement(sid, both));
  assert.deepEqual(files, statement('RefuseOtherWriters'));
  assert.deepEqual(events?.Action, files?.Action);
  assert.deepEqual(events?.Resource, [`${BUCKET}/events/*`]);
  assert.deepEqual(events?.Condition, { StringNotEquals: { 'aws:PrincipalArn': other } });
});

test('without a prefix the guards cover every object', () => {
  const { Resource } = statement('RefuseDeleting', { ...GUARDS, prefix: undefined });
  assert.deepEqual(Resource, [`${BUCKET}/*`]);
});
