// Where requests go: every way to name endpoint, region and style, and how they win over each other.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../../app/core/errors.ts';
import { type AddressOptions, keyPathOf, resolveAddress } from '../../../app/core/s3/address.ts';
import { proxyFor } from '../../../app/core/s3/http.ts';
import { tempDir } from '../../support/temp.ts';

const NO_FILES = { AWS_CONFIG_FILE: '/nowhere/config', AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials' };
const resolve = (options: Partial<AddressOptions>, env: NodeJS.ProcessEnv = {}) =>
  resolveAddress({ bucket: 'bucket', prefix: '', ...options }, { ...NO_FILES, ...env });
const urlOf = async (options: Partial<AddressOptions>, env?: NodeJS.ProcessEnv) => {
  const address = await resolve(options, env);
  return `${address.origin}${keyPathOf(address, 'a/b c')} ${address.region}`;
};

test('AWS is addressed by host, and by path where no certificate would fit', async () => {
  const region = 'eu-west-1';
  assert.equal(await urlOf({ region }), 'https://bucket.s3.eu-west-1.amazonaws.com/a/b%20c eu-west-1');
  assert.equal(
    await urlOf({ region, bucket: 'a.b' }),
    'https://s3.eu-west-1.amazonaws.com/a.b/a/b%20c eu-west-1',
  );
  assert.equal(
    await urlOf({ region, pathStyle: true }),
    'https://s3.eu-west-1.amazonaws.com/bucket/a/b%20c eu-west-1',
  );
  assert.match(
    await urlOf({ region: 'cn-north-1' }),
    /^https:\/\/bucket\.s3\.cn-north-1\.amazonaws\.com\.cn\//,
  );
});

test('an endpoint is addressed by path unless told otherwise, a path of its own included', async () => {
  const endpoint = 'http://minio:9000';
  assert.equal(await urlOf({ endpoint }), 'http://minio:9000/bucket/a/b%20c us-east-1');
  assert.equal(await urlOf({ endpoint, pathStyle: false }), 'http://bucket.minio:9000/a/b%20c us-east-1');
  assert.equal(await urlOf({ endpoint: 'https://host/s3/' }), 'https://host/s3/bucket/a/b%20c us-east-1');
});

test('the environment names endpoint and region, the options win', async () => {
  const env = {
    AWS_ENDPOINT_URL: 'http://any:1',
    AWS_ENDPOINT_URL_S3: 'http://s3:2',
    AWS_DEFAULT_REGION: 'r-2',
  };
  assert.equal(await urlOf({}, env), 'http://s3:2/bucket/a/b%20c r-2');
  assert.equal(await urlOf({}, { ...env, AWS_REGION: 'r-1' }), 'http://s3:2/bucket/a/b%20c r-1');
  assert.equal(
    await urlOf({ endpoint: 'http://mine:3', region: 'r-0' }, env),
    'http://mine:3/bucket/a/b%20c r-0',
  );
  assert.match(
    await urlOf({}, { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }),
    /^https:\/\/bucket\.s3\.r-2\./,
  );
});

test("the profile's region is used where nothing else names one", async (t) => {
  const file = join(await tempDir(t), 'config');
  await writeFile(file, '[default]\nregion = r-1\n[profile other]\nregion = r-2\n');
  const env = { AWS_CONFIG_FILE: file };
  assert.equal((await resolve({}, env)).region, 'r-1');
  assert.equal((await resolve({ profile: 'other' }, env)).region, 'r-2');
  assert.equal((await resolve({}, { ...env, AWS_PROFILE: 'other' })).region, 'r-2');
  assert.equal((await resolve({}, { ...env, AWS_REGION: 'r-3' })).region, 'r-3');
});

test('bucket, endpoint and region that cannot be are refused with a way out', async () => {
  const region = 'eu-west-1';
  for (const options of [
    { bucket: '', region },
    { bucket: 'a/b', region },
    { bucket: 'a@evil', region },
    { endpoint: 'minio:9000' },
    { endpoint: 'ftp://host' },
    { endpoint: 'http://user:secret@host' },
    { region: 'eu west' },
    {},
  ]) {
    await assert.rejects(resolve(options), (error) => {
      assert.ok(error instanceof FerryError && error.exit === 'config' && error.remedy !== '');
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  }
});

test('a proxy is taken for its own scheme only', () => {
  const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.internal' };
  assert.deepEqual(proxyFor('https://host', env), { url: 'http://p:1', noProxy: '.internal' });
  assert.equal(proxyFor('http://host', env), undefined);
  assert.equal(
    proxyFor('http://host', { HTTP_PROXY: 'http://p:1', http_proxy: 'http://p:2' })?.url,
    'http://p:2',
  );
  assert.equal(proxyFor('https://host', {}), undefined);
});
