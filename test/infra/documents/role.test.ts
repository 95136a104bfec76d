// What the workload may do, document by document.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolePolicy } from '../../../infra/documents/role.ts';
import { ENDPOINT, KEY, PLACE } from './samples.ts';

const REGION = 'eu-central-1';

test('the role writes and gives up uploads below the prefix, lists the prefix, and nothing else', () => {
  assert.deepEqual(rolePolicy({ ...PLACE, region: REGION }), {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'WriteObjects',
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
        Resource: ['arn:aws:s3:::acme-ferry/site-1/*'],
      },
      {
        Sid: 'ListThem',
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: ['arn:aws:s3:::acme-ferry'],
        Condition: { StringLike: { 's3:prefix': 'site-1/*' } },
      },
    ],
  });
});

test('without a prefix the whole bucket is the data', () => {
  const [write, list] = rolePolicy({ ...PLACE, prefix: undefined, region: REGION }).Statement;
  assert.deepEqual(write?.Resource, ['arn:aws:s3:::acme-ferry/*']);
  assert.equal(list?.Condition, undefined);
});

test('a key is granted only where there is one, only through S3 of this region, and only what S3 uses', () => {
  const grants = rolePolicy({ ...PLACE, region: REGION, kmsKey: KEY }).Statement.slice(2);
  assert.deepEqual(grants, [
    {
      Sid: 'EncryptThroughS3',
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: [KEY],
      Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
    },
  ]);
  const china = rolePolicy({ ...PLACE, partition: 'aws-cn', region: 'cn-north-1', kmsKey: KEY });
  assert.deepEqual(china.Statement[2]?.Condition, {
    StringEquals: { 'kms:ViaService': 's3.cn-north-1.amazonaws.com.cn' },
  });
  assert.deepEqual(china.Statement[0]?.Resource, ['arn:aws-cn:s3:::acme-ferry/site-1/*']);
});

test('with a VPC endpoint the role’s keys are worth nothing anywhere else', () => {
  const [write, list] = rolePolicy({ ...PLACE, region: REGION, vpcEndpoint: ENDPOINT }).Statement;
  const from = { StringEquals: { 'aws:SourceVpce': ENDPOINT } };
  assert.deepEqual(write?.Condition, from);
  assert.deepEqual(list?.Condition, { ...from, StringLike: { 's3:prefix': 'site-1/*' } });
});
