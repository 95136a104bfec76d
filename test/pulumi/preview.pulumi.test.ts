// The plan of the real engine with no account, no cluster and no login; every option at once, so that the plug-ins'
// own schemas have seen each property.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/cli.ts';
import { ACCOUNT, eventsFile, eventsSettings, REGION, stagingSettings } from './account.ts';
import { lacks } from './needs.ts';
import { makeStack, type Settings } from './stack.ts';

const run = promisify(execFile);
const OFFLINE = { FERRY_PREVIEW_OFFLINE: 'true' };
const EVERYTHING: Settings = {
  ...stagingSettings('offline', 'nowhere'),
  'web-identity': 'pod-identity',
  encryption: 'sse-kms',
  'kms-key': `arn:aws:kms:${REGION}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`,
  'access-log-bucket': 'acme-logs',
  'break-glass-role': `arn:aws:iam::${ACCOUNT}:role/break-glass`,
  'vpc-endpoint': 'vpce-0123456789abcdef0',
  'permissions-boundary': `arn:aws:iam::${ACCOUNT}:policy/boundary`,
  'alarm-topic': `arn:aws:sns:${REGION}:${ACCOUNT}:oncall`,
  'instant-retrieval-days': '30',
  'expire-days': '3650',
  monitoring: 'true',
};

suite('a preview that asks nobody', { skip: lacks('pulumi') }, () => {
  test('npm run preview shows what either target makes from nothing', async () => {
    for (const [target, expected, unexpected] of [
      ['staging', /aws:s3:Bucket +data +create/, /\berror\b/],
      ['staging', /aws:iam:Role +events +create/, /\berror\b/],
      ['staging', /kubernetes:batch\/v1:CronJob +ferry-events +create/, /\berror\b/],
      ['minikube', /kubernetes:apps\/v1:Deployment +ferry-s3 +create/, /aws:(s3|iam)|providers:aws/],
    ] as const) {
      const { stdout } = await run(process.execPath, ['infra/preview.ts', target], { cwd: ROOT });
      assert.match(stdout, expected);
      assert.doesNotMatch(stdout, unexpected);
      assert.match(stdout, /Nobody was asked/);
    }
  });

  test('with every option the plug-ins take every property, and data that will be deleted is warned of', async (t) => {
    const backfill = { 'ferry-events:from': '2026-01-01', 'ferry-events:to': '2026-01-31' };
    const events = { ...eventsSettings('offline'), ...backfill };
    const stack = await makeStack(t, EVERYTHING, events, OFFLINE, { 'events.yaml': eventsFile('offline') });
    const { exit, stdout } = await stack.run(['preview', '--non-interactive', '--stack', stack.name]);
    assert.equal(exit, 0, stdout);
    assert.match(
      stdout,
      /warning: ferry:expire-days: S3 deletes every object below the prefix 3650 days after/,
    );
    const made = (await stack.plan()).filter(({ op }) => op === 'create').map(({ what }) => what);
    for (const what of [
      'aws:s3/bucketLogging:BucketLogging data',
      'aws:eks/podIdentityAssociation:PodIdentityAssociation uploader',
      'aws:s3/bucketMetric:BucketMetric acme-ferry-offline',
      'aws:cloudwatch/metricAlarm:MetricAlarm acme-ferry-offline-silent',
      'kubernetes:monitoring.coreos.com/v1:PrometheusRule file-writer',
      'aws:iam/rolePolicy:RolePolicy events',
      'aws:eks/podIdentityAssociation:PodIdentityAssociation events',
      'kubernetes:batch/v1:CronJob ferry-events',
      'kubernetes:batch/v1:Job ferry-events-2026-01-01-2026-01-31',
    ])
      assert.ok(made.includes(what), `${what} in ${made.join(', ')}`);
  });

  test('up itself is refused without an account', async (t) => {
    const stack = await makeStack(t, EVERYTHING, {}, OFFLINE);
    const { exit, stdout } = await stack.run(['up', '--yes', '--skip-preview', '--non-interactive']);
    assert.notEqual(exit, 0);
    assert.match(stdout, /FERRY_PREVIEW_OFFLINE is for previews/);
  });
});
