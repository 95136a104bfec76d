// The pack in Pulumi's own policy host, on the resources of the real program; the account is not asked.
import assert from 'node:assert/strict';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Waiver } from '../../policies/waivers.ts';
import { ROOT } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';
import { ACCOUNT, eventsFile, eventsSettings, REGION, stagingSettings } from './account.ts';
import { lacks } from './needs.ts';
import { makeStack, type Settings } from './stack.ts';

const PACK = join(ROOT, 'policies');
const OFFLINE = { FERRY_PREVIEW_OFFLINE: 'true' };
const STAGING: Settings = stagingSettings('offline', 'nowhere');

function preview(stack: string, pack: string = PACK): string[] {
  return ['preview', '--non-interactive', '--policy-pack', pack, '--stack', stack];
}

/** The pack as it is, with these waivers. */
async function packWith(t: TestContext, waivers: readonly Waiver[]): Promise<string> {
  const directory = await tempDir(t);
  cpSync(PACK, join(directory, 'policies'), { recursive: true });
  for (const name of ['app', 'infra', 'manifests', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, name), join(directory, name));
  writeFileSync(join(directory, 'policies/waivers.yaml'), stringify({ waivers }));
  return join(directory, 'policies');
}

function refusedBy(stdout: string): string[] {
  return [...new Set([...stdout.matchAll(/\[mandatory\] +([a-z-]+)/g)].map(([, name]) => name ?? ''))].sort();
}

const DAY_MS = 86_400_000;
const dayAfter = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const EXPIRES: Settings = { ...STAGING, 'expire-days': '3650' };
const waiver = (rule: string, object: string, days: number): Waiver => ({
  rule,
  object,
  reason: 'Data of a trial that nobody will miss in ten years.',
  owner: 'platform',
  expires: dayAfter(days),
});

suite('the policy pack in a preview', { skip: lacks('pulumi') }, () => {
  test('what is delivered passes every rule, with everything that may be asked for too', async (t) => {
    const all: Settings = {
      ...STAGING,
      encryption: 'sse-kms',
      'kms-key': `arn:aws:kms:${REGION}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`,
      'vpc-endpoint': 'vpce-0123456789abcdef0',
      'web-identity': 'pod-identity',
    };
    for (const settings of [STAGING, all]) {
      const stack = await makeStack(t, settings, eventsSettings('offline'), OFFLINE, {
        'events.yaml': eventsFile('offline'),
      });
      const { exit, stdout } = await stack.run(preview(stack.name));
      assert.equal(exit, 0, stdout);
      assert.match(stdout, /ferry@v[\d.]+ \(local: /);
      assert.doesNotMatch(stdout, /\[mandatory\]/);
    }
  });

  test('data that is told to expire is refused by the rule that names it, and by no other', async (t) => {
    const stack = await makeStack(t, EXPIRES, {}, OFFLINE);
    const { exit, stdout } = await stack.run(preview(stack.name));
    assert.notEqual(exit, 0, stdout);
    assert.deepEqual(refusedBy(stdout), ['bucket-keeps-data']);
    assert.match(stdout, /expire-data deletes objects after 3650 days/);
  });

  test('a waiver holds in the pack until its last day', async (t) => {
    const stack = await makeStack(t, EXPIRES, {}, OFFLINE);
    const pack = await packWith(t, [
      waiver('bucket-keeps-data', 'test/bucket *', 1),
      waiver('image-pinned', 'elsewhere/*', -1),
    ]);
    const { exit, stdout } = await stack.run(preview(stack.name, pack));
    assert.equal(exit, 0, stdout);
    assert.deepEqual(refusedBy(stdout), []);
  });

  test('a waiver that has expired and one that waives nothing fail the preview, each by its sentence', async (t) => {
    const stack = await makeStack(t, EXPIRES, {}, OFFLINE);
    const pack = await packWith(t, [
      waiver('bucket-keeps-data', 'test/bucket *', -1),
      waiver('non-root', 'test/*', 1),
    ]);
    const { exit, stdout } = await stack.run(preview(stack.name, pack));
    assert.notEqual(exit, 0, stdout);
    assert.deepEqual(refusedBy(stdout), ['bucket-keeps-data', 'waivers']);
    assert.match(stdout, /The waiver of bucket-keeps-data for test\/bucket \* \(platform\) has expired on /);
    assert.match(stdout, /The waiver of non-root for test\/\* \(platform\) waives nothing: remove it/);
  });
});
