// Each weakening of the bucket that the program declares is found by the rule that names it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { BucketInReview } from '../../../policies/rules/bucket-rule.ts';
import { BUCKET_RULES } from '../../../policies/rules/buckets.ts';
import { findings } from '../../../policies/rules/rule.ts';
import type { TargetInReview } from '../../../policies/target.ts';
import { drop, killRate, set, shown } from '../mutation.ts';
import { FULL, PLAIN, targetWith } from '../program.ts';

const FLAGS = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'];

let full: TargetInReview;
before(async () => {
  full = await targetWith(FULL);
});

test('each weakening of a bucket is caught by exactly the rule that names it', (t) => {
  const { bucket = assert.fail('no bucket') } = full;
  const of = (id: string) => ['lifecycle', bucket.lifecycle.findIndex((rule) => rule.id === id)];
  const [abort, old] = [of('abort-unfinished-uploads'), of('delete-old-versions')];
  const archives = [of('archive-in-deep-archive'), of('archive-in-instant-retrieval')];
  const next = bucket.lifecycle.length;
  const weakenings = [
    ...FLAGS.flatMap((flag) => [
      set(flag, ['publicAccessBlock', flag], false, 'bucket-public-access'),
      drop(flag, ['publicAccessBlock', flag], 'bucket-public-access'),
    ]),
    drop('block', ['publicAccessBlock'], 'bucket-public-access'),
    ...['ObjectWriter', 'BucketOwnerPreferred'].map((owner) =>
      set('owner', ['objectOwnership'], owner, 'bucket-owner'),
    ),
    drop('owner', ['objectOwnership'], 'bucket-owner'),
    drop('encryption', ['encryption'], 'bucket-encryption'),
    set('algorithm', ['encryption', 'sseAlgorithm'], 'none', 'bucket-encryption'),
    drop('key', ['encryption', 'kmsMasterKeyId'], 'bucket-encryption'),
    set('bucket key', ['encryption', 'bucketKeyEnabled'], false, 'bucket-encryption'),
    set('versioning', ['versioning'], 'Suspended', 'bucket-versioning'),
    drop('versioning', ['versioning'], 'bucket-versioning'),
    drop('abort', abort, 'bucket-aborts-uploads'),
    set('abort', [...abort, 'status'], 'Disabled', 'bucket-aborts-uploads'),
    set('abort', [...abort, 'filter'], { prefix: 'site-1/' }, 'bucket-aborts-uploads'),
    set('abort', [...abort, 'filter'], { objectSizeGreaterThan: 1 }, 'bucket-aborts-uploads'),
    set(
      'abort',
      [...abort, 'abortIncompleteMultipartUpload', 'daysAfterInitiation'],
      60,
      'bucket-aborts-uploads',
    ),
    set('expiration', [...abort, 'expiration'], { days: 30 }, 'bucket-keeps-data'),
    set(
      'expiration',
      ['lifecycle', next],
      { id: 'x', status: 'Enabled', expiration: { days: 3650 } },
      'bucket-keeps-data',
    ),
    drop('old versions', old, 'bucket-old-versions'),
    set('old versions', [...old, 'status'], 'Disabled', 'bucket-old-versions'),
    set('old versions', [...old, 'noncurrentVersionExpiration', 'noncurrentDays'], 1, 'bucket-old-versions'),
    set('old versions', [...old, 'filter'], { prefix: 'site-1/' }, 'bucket-old-versions'),
    ...archives.flatMap((archive) => [
      set('archive', [...archive, 'filter'], { prefix: 'site-1/' }, 'bucket-archive-sizes'),
      set('archive', [...archive, 'filter', 'and', 'objectSizeGreaterThan'], 1_000, 'bucket-archive-sizes'),
    ]),
    set('protect', ['protect'], false, 'bucket-protected'),
    set('forceDestroy', ['forceDestroy'], true, 'bucket-protected'),
  ];
  // The copies keep the shape.
  const broken = (bucket: unknown) =>
    findings(BUCKET_RULES, bucket as BucketInReview).map(({ rule }) => rule.name);
  assert.deepEqual(broken(bucket), []);
  const rate = killRate(bucket, weakenings, broken);
  t.diagnostic(`buckets: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
  const named = new Set(weakenings.flatMap(({ rules }) => rules));
  assert.deepEqual(
    BUCKET_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
  );
});

test('S3’s own keys are encryption enough, without a key', async () => {
  const { bucket = assert.fail('no bucket') } = await targetWith(PLAIN);
  assert.equal(bucket.encryption?.sseAlgorithm, 'AES256');
  assert.deepEqual(findings(BUCKET_RULES, bucket), []);
});
