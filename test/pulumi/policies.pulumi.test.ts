// The pack in Pulumi's own policy host, on the resources of the real program; the account is not asked.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ROOT } from '../support/cli.ts';
import { ACCOUNT, eventsFile, eventsSettings, REGION, stagingSettings } from './account.ts';
import { lacks } from './needs.ts';
import { makeStack, type Settings } from './stack.ts';

const PREVIEW = ['preview', '--non-interactive', '--policy-pack', join(ROOT, 'policies'), '--stack'];
const OFFLINE = { FERRY_PREVIEW_OFFLINE: 'true' };
const STAGING: Settings = stagingSettings('offline', 'nowhere');

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
      const { exit, stdout } = await stack.run([...PREVIEW, stack.name]);
      assert.equal(exit, 0, stdout);
      assert.match(stdout, /ferry@v[\d.]+ \(local: /);
      assert.doesNotMatch(stdout, /\[mandatory\]/);
    }
  });

  test('data that is told to expire is refused by the rule that names it, and by no other', async (t) => {
    const stack = await makeStack(t, { ...STAGING, 'expire-days': '3650' }, {}, OFFLINE);
    const { exit, stdout } = await stack.run([...PREVIEW, stack.name]);
    assert.notEqual(exit, 0, stdout);
    const refused = [...stdout.matchAll(/\[mandatory\] +([a-z-]+)/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(refused)], ['bucket-keeps-data']);
    assert.match(stdout, /expire-data deletes objects after 3650 days/);
  });
});
