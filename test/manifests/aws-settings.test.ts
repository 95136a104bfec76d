// The settings of what is made in the AWS account: what they default to, and what they refuse together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../app/core/errors.ts';
import { readTarget } from '../../manifests/settings/read.ts';
import { at, LEAST, list, settingsFile, synthesized, targetOf } from './targets.ts';

function refusal(values: Readonly<Record<string, string | undefined>>): string {
  try {
    readTarget('Pulumi.test.yaml', settingsFile(values));
  } catch (error) {
    if (error instanceof FerryError) return error.message;
    throw error;
  }
  return assert.fail('nothing was refused');
}

test('by default nothing is expired or archived, nobody may delete, and S3 keeps the keys', () => {
  const { settings } = targetOf('aws');
  for (const name of ['expireDays', 'deepArchiveDays', 'instantRetrievalDays', 'breakGlassRole'] as const)
    assert.equal(settings[name], undefined, name);
  assert.equal(settings.encryption, 'sse-s3');
  assert.equal(settings.abortUploadsDays, 7);
  assert.equal(settings.oldVersionsDays, 90);
});

test('settings of the account that exclude each other are refused', () => {
  const key = 'arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';
  const cases: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{ encryption: 'sse-kms' }, /encrypts with a key of yours, and none is named/],
    [{ 'kms-key': key }, /a key is named that nothing is encrypted with/],
    [{ encryption: 'sse-kms', 'kms-key': key, region: 'eu-west-1' }, /the key is in us-east-1/],
    [{ 'break-glass-role': LEAST.aws['role-arn'] }, /the role that writes would be the one that may delete/],
    [{ 'access-log-bucket': LEAST.aws.bucket }, /logs its own logs for ever/],
    [
      { 'instant-retrieval-days': '400', 'deep-archive-days': '365' },
      /365 days are not after 400 days.*\n.*deep-archive-days above instant-retrieval-days/,
    ],
    [{ 'instant-retrieval-days': '30', 'expire-days': '30' }, /30 days are not after 30 days/],
    [{ 'role-arn': `arn:aws:iam::111122223333:role/${'x'.repeat(65)}` }, /name has 65 characters/],
  ];
  for (const [values, why] of cases) assert.match(refusal({ ...LEAST.aws, ...values }), why);
});

test('a server in the cluster and settings of an AWS account are refused together, each by its name', () => {
  const text = refusal({
    ...LEAST['in-cluster'],
    cluster: 'staging',
    'expire-days': '30',
    'vpc-endpoint': 'vpce-01234567',
  });
  for (const name of ['cluster', 'expire-days', 'vpc-endpoint'])
    assert.ok(text.includes(`leave ferry:${name} out`), name);
  assert.match(text, /^3 settings are wrong/);
});

test('a name that S3 gives to no bucket is refused', () => {
  for (const bucket of [
    '192.168.0.1',
    'a..b',
    'xn--bucket',
    'data-s3alias',
    'UPPER',
    'ab',
    `a${'b'.repeat(63)}`,
  ])
    assert.match(refusal({ ...LEAST.aws, bucket }), /is not a bucket name/, bucket);
});

test('with Pod Identity the uploader alone gets credentials, no annotation names the role, the agent can be reached', async () => {
  const { get } = await synthesized(targetOf('aws', { 'web-identity': 'pod-identity' }));
  assert.equal(get('ServiceAccount', 'file-writer', 'metadata', 'annotations'), undefined);
  const annotations = ['spec', 'template', 'metadata', 'annotations'] as const;
  assert.equal(
    get('Deployment', 'file-writer', ...annotations, 'eks.amazonaws.com/skip-containers'),
    'writer',
  );
  const egress = list(get('NetworkPolicy', 'file-writer', 'spec', 'egress'));
  assert.deepEqual(at(egress.at(-1), ['to', 0, 'ipBlock', 'cidr']), '169.254.170.23/32');
  assert.deepEqual(at(egress.at(-1), ['ports']), [{ protocol: 'TCP', port: 80 }]);
});
