// Each weakening of a bucket's settings, and each disagreement between YAML and account, is found by its own rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentsOf, synthesize } from '../../../manifests/synth.ts';
import { AGREEMENT_RULES, type Deployed } from '../../../policies/rules/agreement/agreement.ts';
import type { BucketInReview } from '../../../policies/rules/bucket-rule.ts';
import { BUCKET_RULES } from '../../../policies/rules/buckets.ts';
import { readManifests } from '../../../policies/rules/kube.ts';
import { findings } from '../../../policies/rules/rule.ts';
import { deliveredTarget } from '../../manifests/targets.ts';
import { drop, killRate, set, shown } from '../mutation.ts';
import { sampleRole } from '../sample.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
const FLAGS = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'];

function good(): BucketInReview {
  return {
    bucket: 'acme-ferry',
    forceDestroy: false,
    protect: true,
    publicAccessBlock: Object.fromEntries(FLAGS.map((flag) => [flag, true])),
    objectOwnership: 'BucketOwnerEnforced',
    encryption: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: KEY, bucketKeyEnabled: true },
    versioning: 'Enabled',
    lifecycle: [
      {
        id: 'abort',
        status: 'Enabled',
        filter: { prefix: '' },
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      },
      {
        id: 'old',
        status: 'Enabled',
        filter: { prefix: '' },
        noncurrentVersionExpiration: { noncurrentDays: 90 },
      },
      {
        id: 'archive',
        status: 'Enabled',
        filter: { and: { prefix: 'site-1/', objectSizeGreaterThan: 131_071 } },
        transitions: [{ days: 365, storageClass: 'DEEP_ARCHIVE' }],
      },
    ],
  };
}

test('each weakening of a bucket is caught by exactly the rule that names it', (t) => {
  const abort = ['lifecycle', 0];
  const old = ['lifecycle', 1];
  const archive = ['lifecycle', 2];
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
      ['lifecycle', 3],
      { id: 'x', status: 'Enabled', expiration: { days: 3650 } },
      'bucket-keeps-data',
    ),
    drop('old versions', old, 'bucket-old-versions'),
    set('old versions', [...old, 'status'], 'Disabled', 'bucket-old-versions'),
    set('old versions', [...old, 'noncurrentVersionExpiration', 'noncurrentDays'], 1, 'bucket-old-versions'),
    set('old versions', [...old, 'filter'], { prefix: 'site-1/' }, 'bucket-old-versions'),
    set('archive', [...archive, 'filter'], { prefix: 'site-1/' }, 'bucket-archive-sizes'),
    set('archive', [...archive, 'filter', 'and', 'objectSizeGreaterThan'], 1_000, 'bucket-archive-sizes'),
    set('protect', ['protect'], false, 'bucket-protected'),
    set('forceDestroy', ['forceDestroy'], true, 'bucket-protected'),
  ];
  // The copies keep the shape.
  const broken = (bucket: unknown) =>
    findings(BUCKET_RULES, bucket as BucketInReview).map(({ rule }) => rule.name);
  assert.deepEqual(broken(good()), []);
  const rate = killRate(good(), weakenings, broken);
  t.diagnostic(`buckets: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
  const named = new Set(weakenings.flatMap(({ rules }) => rules));
  assert.deepEqual(
    BUCKET_RULES.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
  );
});

test('S3’s own keys are encryption enough, without a key', () => {
  assert.deepEqual(findings(BUCKET_RULES, { ...good(), encryption: { sseAlgorithm: 'AES256' } }), []);
});

test('each disagreement between YAML and account is caught by exactly the rule that names it', async (t) => {
  const files = await synthesize(deliveredTarget('staging'));
  const manifests = readManifests('staging', [...files.values()].flatMap(documentsOf));
  const sample = sampleRole();
  const text = JSON.stringify(sample)
    .replaceAll('acme-ferry', 'acme-ferry-staging')
    .replaceAll('role/ferry', 'role/ferry-staging');
  const deployed: Deployed = { manifests, role: JSON.parse(text) };
  const broken = (given: unknown) =>
    findings(AGREEMENT_RULES, given as Deployed).map(({ rule }) => rule.name);
  assert.deepEqual(broken(deployed), []);
  const issuer = 'oidc.eks.eu-central-1.amazonaws.com/id/ABC';
  const sub = ['role', 'trust', 'Statement', 0, 'Condition', 'StringEquals', `${issuer}:sub`];
  const rate = killRate(
    deployed,
    [
      set('role', ['role', 'arn'], 'arn:aws:iam::111122223333:role/other', 'agree-role'),
      set('bucket', ['role', 'bucket'], 'acme-ferry', 'agree-bucket'),
      set('prefix', ['role', 'prefix'], 'site-2', 'agree-bucket'),
      drop('prefix', ['role', 'prefix'], 'agree-bucket'),
      set('region', ['role', 'region'], 'us-east-1', 'agree-region'),
      set('account', sub, 'system:serviceaccount:ferry:other', 'agree-service-account'),
      set('namespace', sub, 'system:serviceaccount:other:file-writer', 'agree-service-account'),
      drop('subject', sub, 'agree-service-account'),
    ],
    broken,
  );
  t.diagnostic(`agreement: ${shown(rate)}`);
  assert.deepEqual(rate.wrong, []);
});
