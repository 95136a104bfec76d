// What S3 is told to do with old things.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LifecycleAges, lifecycleRules, lifecycleWarnings } from '../../../infra/documents/lifecycle.ts';

const AGES: LifecycleAges = {
  prefix: 'site-1',
  abortUploadsDays: 7,
  oldVersionsDays: 90,
  instantRetrievalFromBytes: 131_072,
  deepArchiveFromBytes: 524_288,
};

test('unfinished uploads and old versions go everywhere, and no rule touches data', () => {
  assert.deepEqual(lifecycleRules(AGES), [
    {
      id: 'abort-unfinished-uploads',
      status: 'Enabled',
      filter: { prefix: '' },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    },
    {
      id: 'delete-old-versions',
      status: 'Enabled',
      filter: { prefix: '' },
      noncurrentVersionExpiration: { noncurrentDays: 90 },
    },
  ]);
  assert.deepEqual(lifecycleWarnings(AGES), []);
});

test('objects move by age and from a size on, below the prefix', () => {
  const rules = lifecycleRules({ ...AGES, instantRetrievalDays: 30, deepArchiveDays: 365 });
  assert.deepEqual(rules[1], {
    id: 'archive-in-deep-archive',
    status: 'Enabled',
    filter: { and: { prefix: 'site-1/', objectSizeGreaterThan: 524_287 } },
    transitions: [{ days: 365, storageClass: 'DEEP_ARCHIVE' }],
  });
  assert.deepEqual(rules[2], {
    id: 'archive-in-instant-retrieval',
    status: 'Enabled',
    filter: { and: { prefix: 'site-1/', objectSizeGreaterThan: 131_071 } },
    transitions: [{ days: 30, storageClass: 'GLACIER_IR' }],
  });
  const [, whole] = lifecycleRules({ ...AGES, prefix: undefined, deepArchiveDays: 365 });
  assert.deepEqual(whole?.filter, { objectSizeGreaterThan: 524_287 });
});

test('data is deleted only when a setting says so, and then with a warning', () => {
  const ages = { ...AGES, expireDays: 400, deepArchiveDays: 365 };
  assert.deepEqual(lifecycleRules(ages).at(-1), {
    id: 'expire-data',
    status: 'Enabled',
    filter: { prefix: 'site-1/' },
    expiration: { days: 400 },
  });
  const [expiry = '', early = ''] = lifecycleWarnings(ages);
  assert.match(expiry, /deletes every object below the prefix 400 days after/);
  assert.match(early, /bills 180 days at least, and objects are deleted 35 days after/);
  assert.equal(lifecycleWarnings({ ...AGES, expireDays: 400 }).length, 1);
});

test('whatever is set, the ids rise and none comes twice', () => {
  for (const instantRetrievalDays of [undefined, 1])
    for (const deepArchiveDays of [undefined, 100])
      for (const expireDays of [undefined, 1_000]) {
        const ids = lifecycleRules({ ...AGES, instantRetrievalDays, deepArchiveDays, expireDays }).map(
          ({ id }) => id,
        );
        assert.deepEqual(ids, [...new Set(ids)].sort());
      }
});
