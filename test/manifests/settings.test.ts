// Settings that cannot work are refused before anything is made, all at once, with their line and with the numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../app/core/errors.ts';
import { infoOf } from '../../app/core/settings/fields.ts';
import { settingName } from '../../app/core/settings/names.ts';
import { readTarget } from '../../manifests/settings/read.ts';
import { schema } from '../../manifests/settings/settings.ts';
import { DIGEST, LEAST, settingsFile } from './targets.ts';

const read = (content: string) => readTarget('Pulumi.test.yaml', content);

function refusal(values: Readonly<Record<string, string | undefined>>): string {
  return refusalOf(settingsFile(values));
}

function refusalOf(content: string): string {
  try {
    read(content);
  } catch (error) {
    assert.ok(error instanceof FerryError);
    assert.equal(error.exit, 'config');
    assert.match(error.message, /nothing was written/);
    return error.message;
  }
  return assert.fail('the settings were taken');
}

test('the least settings of either kind are enough', () => {
  assert.equal(read(settingsFile(LEAST.aws)).s3, 'aws');
  assert.equal(read(settingsFile(LEAST['in-cluster'])).s3, 'in-cluster');
});

test('a volume limit below the plan is refused with the arithmetic of what is needed', () => {
  const text = refusal({ ...LEAST.aws, 'size-limit': '1Gi' });
  assert.match(text, /Pulumi\.test\.yaml:7:3 ferry:size-limit "1Gi"/);
  assert.match(text, /1\.0 GiB are 4\.4 GiB below the 5\.4 GiB that are needed: 4\.1 GiB of a normal day/);
});

test('every planned value can be raised and none can be lowered', () => {
  const tooLittle = {
    'size-limit': '5Gi',
    'state-size': '16Mi',
    'memory-request': '64Mi',
    'memory-limit': '100Mi',
    'cpu-request': '1m',
    'cpu-limit': '499m',
    drain: '5s',
    'grace-period': '10s',
    volume: 'ephemeral',
    'claim-size': '6Gi',
  };
  const text = refusal({ ...LEAST.aws, ...tooLittle });
  for (const name of Object.keys(tooLittle).filter((name) => name !== 'volume'))
    assert.match(text, new RegExp(`ferry:${name} .*that are needed: `), name);
  const enough = {
    'size-limit': '8Gi',
    'state-size': '2Gi',
    'memory-request': '256Mi',
    'memory-limit': '512Mi',
    'cpu-request': '200m',
    'cpu-limit': '1.5',
    drain: '2m',
    'grace-period': '3m',
    volume: 'ephemeral',
    'claim-size': '40Gi',
  };
  const settings = read(settingsFile({ ...LEAST.aws, ...enough }));
  assert.equal(settings.sizeLimitBytes, 8 * 2 ** 30);
  assert.equal(settings.cpuLimit, 1_500);
});

test('a drain that does not fit into the grace period is refused with the sum', () => {
  const text = refusal({ ...LEAST.aws, drain: '2m', 'grace-period': '2m', 'writer-stop': '30s' });
  assert.match(
    text,
    /2m are 35s below the 2m 35s that are needed: 30 s for the writer to end \+ 120 s to drain \+ 5 s/,
  );
});

test('a tag instead of a digest is refused on AWS and taken with a server in the cluster', () => {
  const text = refusal({
    ...LEAST.aws,
    image: 'registry.example.com/ferry:1.2.3',
    'writer-image': 'vendor:4',
  });
  assert.match(text, /:2:3 ferry:image .*the tag of registry\.example\.com\/ferry:1\.2\.3 can be moved/);
  assert.match(text, /ferry:writer-image .*the tag of vendor:4 can be moved/);
  assert.equal(read(settingsFile({ ...LEAST['in-cluster'], image: 'ferry:1.2.3' })).image, 'ferry:1.2.3');
  const vague = { 'ferry:latest': /newest/, ferry: /newest/, 'Ferry:1': /no image name/ };
  for (const [image, why] of Object.entries(vague))
    assert.match(refusal({ ...LEAST['in-cluster'], image }), why);
  assert.match(refusal({ ...LEAST.aws, image: 'ferry@sha256:abc' }), /has a digest that is none/);
  assert.equal(read(settingsFile({ ...LEAST.aws, image: `localhost:5000/a/b@${DIGEST}` })).s3, 'aws');
});

test('an unknown key is refused and the one that was meant is named', () => {
  const text = refusal({ ...LEAST.aws, retentoin: '24h' });
  assert.match(
    text,
    /Pulumi\.test\.yaml:7:3 unknown key "ferry:retentoin"\n.*did you mean ferry:retention\?/,
  );
  assert.match(refusalOf('config:\n  bucket: x\n'), /"bucket" does not belong to ferry/);
  assert.match(refusalOf('config:\n  fery:bucket: x\n'), /write ferry:bucket/);
  assert.match(refusalOf('ferry:\n  bucket: x\n'), /unknown section "ferry"/);
});

test('what is not Ferry’s own in the file is let be', () => {
  const others = `${settingsFile(LEAST.aws)}  aws:region: eu-central-1\nencryptionsalt: v1:abc\n`;
  assert.equal(read(others).bucket, 'acme-ferry');
});

test('every wrong value is named at once, each with line, value and what is expected', () => {
  const text = refusal({
    ...LEAST.aws,
    size: '1Kb',
    outage: '4 hours',
    'memory-limit': '96MB',
    'cpu-limit': 'half',
    rate: 'many',
    bucket: 'No_Bucket',
    volume: 'emptydir',
    egress: '10.0.0.0/40',
    monitoring: 'yes',
    prefix: '/a//b',
    concurrency: '1000',
  });
  assert.match(text, /^11 settings are wrong in Pulumi\.test\.yaml/);
  for (const [line, said] of [
    [6, 'ferry:size "1Kb" is no size'],
    [7, 'ferry:outage "4 hours" is no duration'],
    [8, 'ferry:memory-limit "96MB" is no size'],
    [9, 'ferry:cpu-limit "half" is no amount of CPU'],
    [5, 'ferry:rate "many" is no number'],
    [3, 'ferry:bucket "No_Bucket" is not a bucket name'],
    [10, 'ferry:volume "emptydir" is unknown; did you mean emptyDir?'],
    [11, 'ferry:egress "10.0.0.0/40" names "10.0.0.0/40", which is no network'],
    [12, 'ferry:monitoring "yes" is neither true nor false'],
  ] as const)
    assert.ok(text.includes(`Pulumi.test.yaml:${line}:3 ${said}`), said);
});

test('what is missing is named with what it is for', () => {
  const text = refusalOf('config: {}\n');
  for (const name of ['image', 'bucket', 'rate', 'size'])
    assert.match(text, new RegExp(`Pulumi\\.test\\.yaml lacks ferry:${name}: `));
  assert.match(
    refusal({ ...LEAST.aws, 'role-arn': undefined }),
    /without a role the uploader has no credentials/,
  );
  assert.match(refusal({ ...LEAST['in-cluster'], 's3-image': undefined }), /needs an image/);
});

test('settings that exclude each other are refused', () => {
  const cases: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{ ...LEAST['in-cluster'], endpoint: 'http://10.0.0.1:9000' }, /has its own endpoint and no roles/],
    [{ ...LEAST.aws, 'claim-size': '40Gi' }, /a volume of kind emptyDir claims nothing/],
    [{ ...LEAST.aws, 'low-watermark': '0.9' }, /the watermarks 0\.9, 0\.85 and 0\.95 do not rise/],
    [{ ...LEAST.aws, rate: '0' }, /the writer makes no file at all/],
    [{ ...LEAST.aws, 'memory-request': '1Gi' }, /1\.0 GiB requested are more than the limit of 144\.0 MiB/],
    [{ ...LEAST.aws, 'writer-cpu': '2' }, /2000m requested are more than the limit of 1000m/],
  ];
  for (const [values, why] of cases) assert.match(refusal(values), why);
});

test('a file that is no YAML, holds a secret, a list or an alias is refused with its line', () => {
  assert.match(refusalOf('config:\n  ferry:bucket: "x\n'), /Pulumi\.test\.yaml:\d+:\d+ is not YAML/);
  const secret = `${settingsFile({ ...LEAST.aws, bucket: undefined })}  ferry:bucket:\n    secure: v1:abc\n`;
  assert.match(refusalOf(secret), /ferry:bucket is not one value/);
  assert.match(refusalOf('config: [ferry]\n'), /config holds no keys/);
  assert.match(refusalOf('config:\n  ferry:bucket: &b x\n  ferry:prefix: *b\n'), /:3:\d+ is an alias/);
});

test('every setting has a name that can be written and an example that is taken', () => {
  for (const [field, one] of Object.entries(schema.shape)) {
    assert.match(settingName(field), /^[a-z0-9]+(-[a-z0-9]+)*$/);
    const { example, default: standard } = infoOf(one);
    assert.ok(one.safeParse(example.replace('…', 'ab12'.repeat(16))).success, `${field} ${example}`);
    if (standard !== undefined) assert.ok(one.safeParse(standard).success, `${field} ${standard}`);
  }
});
