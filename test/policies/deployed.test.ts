// What is deployed holds every rule, and the page a reviewer reads says what is deployed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DataBucket } from '../../infra/data-bucket.ts';
import { readTarget } from '../../manifests/settings/read.ts';
import type { TargetSettings } from '../../manifests/settings/settings.ts';
import { documentsOf, synthesize } from '../../manifests/synth.ts';
import { targetCharts } from '../../manifests/target.ts';
import { roleOf } from '../../policies/deployed.ts';
import type { RoleInReview } from '../../policies/iam/places.ts';
import { bucketOf } from '../../policies/resources.ts';
import { AGREEMENT_RULES } from '../../policies/rules/agreement/agreement.ts';
import { BUCKET_RULES } from '../../policies/rules/buckets.ts';
import { readManifests } from '../../policies/rules/kube.ts';
import { ROLE_RULES } from '../../policies/rules/roles.ts';
import { findings } from '../../policies/rules/rule.ts';
import { PAGE, pageNow } from '../../policies/write-page.ts';
import { declaredBy } from '../infra/mocked.ts';
import { KEYS, LEAST, settingsFile } from '../manifests/targets.ts';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
const VARIANTS: readonly Readonly<Record<string, string>>[] = [
  {},
  { prefix: 'site-1' },
  { prefix: 'site-1', encryption: 'sse-kms', 'kms-key': KEY },
  { prefix: 'site-1', 'vpc-endpoint': 'vpce-0123456789abcdef0' },
  { prefix: 'a/b', 'break-glass-role': 'arn:aws:iam::111122223333:role/break-glass' },
  { prefix: 'site-1', 'web-identity': 'pod-identity', cluster: 'staging' },
];

function settingsOf(variant: Readonly<Record<string, string>>): TargetSettings {
  return readTarget('Pulumi.test.yaml', settingsFile({ ...LEAST.aws, cluster: 'staging', ...variant }));
}

function roleIn(settings: TargetSettings): RoleInReview {
  const role = roleOf(settings);
  assert.ok(role);
  return role;
}

for (const variant of VARIANTS)
  test(`documents and YAML of ${JSON.stringify(variant)} hold every rule`, async () => {
    const settings = settingsOf(variant);
    const role = roleIn(settings);
    const files = await synthesize(targetCharts('test', settings, () => KEYS));
    const manifests = readManifests('test', [...files.values()].flatMap(documentsOf));
    const found = [...findings(ROLE_RULES, role), ...findings(AGREEMENT_RULES, { manifests, role })];
    assert.deepEqual(
      found.map(({ rule, what }) => `${rule.name}: ${what}`),
      [],
    );
  });

test('the bucket as the program declares it holds every rule, unless its data is told to expire', async () => {
  const brokenBy = async (variant: Readonly<Record<string, string>>): Promise<string[]> => {
    const settings = settingsOf(variant);
    const place = { partition: 'aws', bucket: settings.bucket, prefix: settings.prefix };
    const args = { ...settings, ...place, writer: settings.roleArn ?? '', tags: {} };
    const bucket = bucketOf(await declaredBy((opts) => new DataBucket('data', args, opts)));
    assert.ok(bucket);
    return findings(BUCKET_RULES, bucket).map(({ rule }) => rule.name);
  };
  const archive = { 'deep-archive-days': '365', 'instant-retrieval-days': '30' };
  assert.deepEqual(await brokenBy({ prefix: 'site-1', ...archive }), []);
  assert.deepEqual(await brokenBy({ encryption: 'sse-kms', 'kms-key': KEY }), []);
  assert.deepEqual(await brokenBy({ 'expire-days': '3650' }), ['bucket-keeps-data']);
});

test('policies/REVIEW.md is what `npm run review:page` writes now', async () => {
  const page = await pageNow();
  assert.equal(readFileSync(PAGE, 'utf8'), page);
  for (const claim of [
    'Cannot read an object',
    'Cannot delete an object',
    'Cannot write outside of its prefix',
  ])
    assert.ok(page.includes(claim), claim);
  assert.ok(!page.includes('**Can '), 'a claim does not hold');
  const roles = page.match(/^## staging: /gm)?.length;
  assert.equal(roles, 2);
  assert.equal(page.match(/\*\*allowed\*\*/g)?.length, roles, 'only a role itself may write a new object');
});
