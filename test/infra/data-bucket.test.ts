// The bucket as it would be declared: every resource of it, and every property that matters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataBucket, type DataBucketArgs } from '../../infra/data-bucket.ts';
import { bucketPolicy } from '../../infra/documents/bucket.ts';
import { lifecycleRules } from '../../infra/documents/lifecycle.ts';
import { KEY, PLACE, ROLE } from './documents/samples.ts';
import { declaredBy, only } from './mocked.ts';

const ARGS: DataBucketArgs = {
  ...PLACE,
  writer: ROLE.arn,
  abortUploadsDays: 7,
  oldVersionsDays: 90,
  instantRetrievalFromBytes: 131_072,
  deepArchiveFromBytes: 524_288,
  tags: { stack: 'staging' },
};

const declared = (args: Partial<DataBucketArgs> = {}) =>
  declaredBy((opts) => new DataBucket('data', { ...ARGS, ...args }, opts));

test('the bucket and each of its guards is protected, and none is emptied by force', async () => {
  const all = await declared({ accessLogBucket: 'logs' });
  assert.deepEqual(all.map(({ type }) => type.split(':').at(-1)).sort(), [
    'Bucket',
    'BucketLifecycleConfiguration',
    'BucketLogging',
    'BucketOwnershipControls',
    'BucketPolicy',
    'BucketPublicAccessBlock',
    'BucketServerSideEncryptionConfiguration',
    'BucketVersioning',
  ]);
  for (const { type, protect } of all) assert.equal(protect, true, type);
  assert.deepEqual(only(all, 'aws:s3/bucket:Bucket').inputs, {
    bucket: 'acme-ferry',
    forceDestroy: false,
    tags: { stack: 'staging' },
  });
});

test('nothing of it can be public, and whoever writes, the account owns', async () => {
  const all = await declared();
  assert.deepEqual(only(all, 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock').inputs, {
    bucket: 'acme-ferry',
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  assert.deepEqual(only(all, 'aws:s3/bucketOwnershipControls:BucketOwnershipControls').inputs.rule, {
    objectOwnership: 'BucketOwnerEnforced',
  });
  assert.deepEqual(only(all, 'aws:s3/bucketVersioning:BucketVersioning').inputs.versioningConfiguration, {
    status: 'Enabled',
  });
});

test('S3 encrypts with its own keys, or with the key that is named and few calls to it', async () => {
  const type = 'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
  assert.deepEqual(only(await declared(), type).inputs.rules, [
    { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } },
  ]);
  assert.deepEqual(only(await declared({ kmsKey: KEY }), type).inputs.rules, [
    {
      applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: KEY },
      bucketKeyEnabled: true,
    },
  ]);
});

test('policy and lifecycle are the documents that stand in files of their own', async () => {
  const all = await declared({ instantRetrievalDays: 30, expireDays: 400 });
  const { inputs } = only(all, 'aws:s3/bucketPolicy:BucketPolicy');
  assert.deepEqual(JSON.parse(String(inputs.policy)), bucketPolicy(ARGS));
  const lifecycle = only(all, 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration');
  assert.deepEqual(
    lifecycle.inputs.rules,
    lifecycleRules({ ...ARGS, instantRetrievalDays: 30, expireDays: 400 }),
  );
});

test('the policy waits for the public access block, and rules on versions for versioning', async () => {
  const all = await declared();
  assert.deepEqual(only(all, 'aws:s3/bucketPolicy:BucketPolicy').dependsOn, [
    'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock data',
  ]);
  assert.deepEqual(only(all, 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration').dependsOn, [
    'aws:s3/bucketVersioning:BucketVersioning data',
  ]);
});

test('access logs go elsewhere, below the bucket’s name, and only when there is such a place', async () => {
  const type = 'aws:s3/bucketLogging:BucketLogging';
  assert.equal(
    (await declared()).some((one) => one.type === type),
    false,
  );
  assert.deepEqual(only(await declared({ accessLogBucket: 'logs' }), type).inputs, {
    bucket: 'acme-ferry',
    targetBucket: 'logs',
    targetPrefix: 'acme-ferry/',
  });
});
