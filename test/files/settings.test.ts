import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { resolveSettings } from '../../app/core/settings/settings.ts';
import { doctorSpec, type FilesSettings, filesSpec } from '../../app/files/settings.ts';
import { tempDir } from '../support/temp.ts';
import { SAMPLES } from './settings-samples.ts';

function resolve(flags: Readonly<Record<string, string>>) {
  const all = { source: '/data/in', to: 's3://bucket/prefix', ...flags };
  return resolveSettings(filesSpec, { flags: new Map(Object.entries(all)), env: {} });
}

/** What is wrong with these flags; exactly one thing must be. */
function wrongWith(flags: Readonly<Record<string, string>>): string {
  const { problems, values } = resolve(flags);
  assert.equal(problems.length, 1, JSON.stringify({ flags, problems }, null, 2));
  assert.equal(values, undefined);
  return `${problems[0]?.where} ${problems[0]?.wrong}`;
}

test('with source and destination alone every other setting has its documented default', () => {
  const { values } = resolve({});
  const expected: FilesSettings = {
    source: '/data/in',
    to: 's3://bucket/prefix',
    key: 'dt={date}/hh={hour}/{path}',
    once: false,
    settleMs: 5_000,
    retentionMs: 86_400_000,
    keep: false,
    dryRun: false,
    volumeLimitBytes: undefined,
    state: join(process.cwd(), '.ferry/state'),
    spill: undefined,
    endpoint: undefined,
    region: undefined,
    pathStyle: false,
    sse: 'none',
    sseKmsKeyId: undefined,
    mayRead: false,
    concurrency: 16,
    requestTimeoutMs: 30_000,
    proveEveryMs: 60_000,
    walkEveryMs: 2_000,
    walkCpuShare: 0.01,
    highWatermark: 0.85,
    lowWatermark: 0.75,
    criticalWatermark: 0.95,
    drainMs: 25_000,
    listen: undefined,
    page: 'local',
    pageToken: undefined,
    heartbeatUrl: undefined,
    heartbeatWithinMs: 900_000,
    receipts: true,
    logLevel: 'info',
    summaryEveryMs: 60_000,
  };
  assert.deepEqual(values, expected);
});

test('every sample of every setting is taken, in any combination', () => {
  const one = Object.fromEntries(
    Object.entries(SAMPLES).map(([field, samples]) => [field, fc.constantFrom(...samples)]),
  );
  fc.assert(
    fc.property(fc.record(one), (texts) => {
      assert.equal(filesSpec.schema.safeParse(texts).success, true);
      const values = filesSpec.schema.parse(texts);
      assert.deepEqual(filesSpec.check?.(values), []);
    }),
    { numRuns: 100 },
  );
});

test('watermarks that are not low < high < critical are refused, and so is one above 1', () => {
  assert.match(
    wrongWith({ 'low-watermark': '0.85' }),
    /low-watermark 0.85 \(flag.*high-watermark 0.85 \(default\)/,
  );
  assert.match(wrongWith({ 'high-watermark': '0.96' }), /the high watermark is not below the critical one/);
  for (const share of ['1.01', '0', '-0.5', '85%', '0.8.5', ''])
    assert.match(wrongWith({ 'critical-watermark': share }), /^--critical-watermark/, share);
  assert.match(wrongWith({ 'high-watermark': '85' }), /did you mean 0\.85\?/);
});

test('a destination that would not be listed as it was written is refused', () => {
  for (const [to, why] of [
    ['s3://bucket/a/../b', /holds \.\./],
    ['s3://bucket/..', /holds \.\./],
    ['s3://bucket/./b', /single dot/],
    ['s3://bucket//b', /empty part/],
    ['s3://bucket/b//', /empty part/],
    ['s3://bucket/a\\b', /backslash/],
    ['s3://', /bucket name/],
    ['s3://Bucket', /bucket name/],
    ['s3://user:secret@bucket', /bucket name/],
    ['s3://bu', /bucket name/],
    ['s3:/bucket', /two slashes/],
    ['s3:bucket', /two slashes/],
    ['s3//bucket/site', /two slashes/],
    ['s3/bucket', /two slashes/],
    ['https://bucket.s3.amazonaws.com', /neither an s3/],
    [`s3://bucket/${'é'.repeat(300)}`, /longer than 512 bytes/],
    ['../out/../..', /holds \.\./],
    ['~/out', /only a shell/],
  ] as const)
    assert.match(wrongWith({ to }), why, to);
  assert.equal(resolve({ to: 's3://bucket/a/b/' }).values?.to, 's3://bucket/a/b');
  assert.equal(resolve({ to: 's3://bucket/' }).values?.to, 's3://bucket');
  assert.equal(resolve({ to: 'out' }).values?.to, join(process.cwd(), 'out'));
});

test('a key template must hold {path}, only known placeholders and no part that leads elsewhere', () => {
  for (const [key, why] of [
    ['dt={date}', /does not hold \{path\}/],
    ['{pth}', /did you mean \{path\}/],
    ['{path}/{}', /unknown placeholder/],
    ['{path', /without its other half/],
    ['{path}}', /without its other half/],
    ['../{path}', /holds \.\./],
    ['a/../{path}', /holds \.\./],
    ['/{path}', /empty part/],
    ['a//{path}', /empty part/],
    ['{path}/', /empty part/],
    ['', /is empty/],
  ] as const)
    assert.match(wrongWith({ key }), why, key);
});

test('a KMS key without encryption by KMS is refused', () => {
  assert.match(wrongWith({ 'sse-kms-key-id': 'alias/a' }), /encryption by KMS is not asked for/);
  assert.match(wrongWith({ 'sse-kms-key-id': 'alias/a', sse: 'AES256' }), /not asked for/);
  assert.deepEqual(resolve({ 'sse-kms-key-id': 'alias/a', sse: 'aws:kms' }).problems, []);
  assert.match(wrongWith({ sse: 'aes256' }), /did you mean AES256/);
});

test('source and destination may not hold one another, nor the source its own state, links followed', async (t) => {
  const root = await tempDir(t);
  mkdirSync(join(root, 'data/in'), { recursive: true });
  symlinkSync(join(root, 'data'), join(root, 'link'));
  const source = join(root, 'data');
  const state = join(root, 'state');
  const wrong = (flags: Record<string, string>) => wrongWith({ source, state, ...flags });
  assert.match(wrong({ to: source }), /holds the other/);
  assert.match(wrong({ to: join(root, 'data/out/deep') }), /holds the other/);
  assert.match(wrong({ to: root }), /holds the other/);
  assert.match(wrong({ to: join(root, 'link/out') }), /holds the other/);
  assert.match(wrong({ source: join(root, 'link/in'), to: source }), /holds the other/);
  assert.match(wrong({ state: join(root, 'link/in/not-there-yet') }), /state directory is inside/);
  assert.deepEqual(resolve({ source, state, to: join(root, 'data-out') }).problems, []);
  assert.deepEqual(resolve({ source, state, to: join(root, '..data') }).problems, []);
});

test('times: nothing is allowed where it means at once, and no timer is longer than Node can wait', () => {
  assert.equal(resolve({ retention: '0' }).values?.retentionMs, 0);
  assert.equal(resolve({ settle: '0s' }).values?.settleMs, 0);
  assert.equal(resolve({ retention: '365d' }).values?.retentionMs, 365 * 86_400_000);
  for (const name of ['prove-every', 'walk-every', 'summary-every', 'request-timeout'])
    assert.match(wrongWith({ [name]: '0' }), /more than nothing/, name);
  for (const name of ['settle', 'drain', 'prove-every', 'walk-every', 'summary-every', 'request-timeout'])
    assert.match(wrongWith({ [name]: '25d' }), /longer than 24 days/, name);
  for (const text of ['-1s', 'soon', '1w', '5 s'])
    assert.match(wrongWith({ settle: text }), /is no duration/);
  assert.match(wrongWith({ settle: '5' }), /has no unit; did you mean 5s\?/);
  assert.match(wrongWith({ retention: '12' }), /has no unit; did you mean 12h\?/);
});

test('other values that cannot work are refused', () => {
  for (const flags of [
    { concurrency: '0' },
    { concurrency: '513' },
    { concurrency: '1e2' },
    { 'walk-cpu-share': '0' },
    { 'volume-limit': '0' },
    { 'volume-limit': '2gi' },
    { endpoint: 's3.example.com' },
    { endpoint: 'http://' },
    { endpoint: 'ftp://host' },
    { region: 'EU Central' },
    { listen: '9464' },
    { listen: 'localhost:99999' },
    { 'log-level': 'trace' },
    { keep: 'yes' },
    { source: '~/data' },
  ])
    assert.match(wrongWith(flags), new RegExp(`^--${Object.keys(flags)[0]} `));
});

test('doctor takes the same settings, and a source only if it is to be looked at', () => {
  const without = resolveSettings(doctorSpec, { flags: new Map([['to', 's3://bucket']]), env: {} });
  assert.deepEqual(without.problems, []);
  assert.equal(without.values?.source, undefined);
  const flags = new Map([
    ['to', '/data/out'],
    ['source', '/data'],
  ]);
  assert.equal(resolveSettings(doctorSpec, { flags, env: {} }).problems.length, 1);
});
