// What is wrong is told by the real engine's preview in sentences, all of it at once, before anything is made.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { clients, createCluster, REGION, stagingSettings } from './account.ts';
import { type Moto, startMoto } from './moto.ts';
import { lacks } from './needs.ts';
import { makeStack, motoConfig, type Settings, type Stack } from './stack.ts';

suite('a target that cannot be deployed', { skip: lacks('pulumi', 'moto') }, () => {
  const undo: (() => unknown)[] = [];
  const t = { after: (task: () => unknown) => void undo.unshift(task) };
  let moto: Moto;
  let stack: Stack;
  const settings = stagingSettings('refused', 'nowhere');

  before(async () => {
    moto = await startMoto(t);
    await createCluster(moto.endpoint);
    stack = await makeStack(t, settings, motoConfig(moto.endpoint, REGION));
  });
  after(async () => {
    for (const task of undo) await task();
  });

  async function refusal(changed: Settings, env: Readonly<Record<string, string>> = {}): Promise<string> {
    stack.write({ ...settings, ...changed });
    const { exit, stdout, stderr } = await stack.run(
      ['up', '--yes', '--skip-preview', '--non-interactive'],
      env,
    );
    assert.notEqual(exit, 0);
    const said = `${stdout}${stderr}`;
    assert.doesNotMatch(said, /\n\s+at .*\.ts:\d+/, 'a stack trace tells people nothing');
    const { stdout: urns } = await stack.run(['stack', 'export']);
    const made: { type: string }[] = JSON.parse(urns).deployment.resources ?? [];
    assert.deepEqual(
      made.filter(({ type }) => type !== 'pulumi:pulumi:Stack' && !type.startsWith('pulumi:providers')),
      [],
    );
    return said;
  }

  test('unknown keys, missing settings and wrong values are told at once, with their lines', async () => {
    const said = await refusal({ image: undefined, bucket: 'No_Bucket', 'expire-dyas': '30' });
    assert.match(said, /3 settings are wrong in Pulumi\.test\.yaml/);
    assert.match(said, /lacks ferry:image/);
    assert.match(said, /ferry:bucket "No_Bucket" is not a bucket name/);
    assert.match(said, /unknown key "ferry:expire-dyas"[\s\S]*did you mean ferry:expire-days\?/);
  });

  test('a limit below the plan is refused with the arithmetic', async () => {
    assert.match(await refusal({ 'size-limit': '1Gi' }), /below the 5\.\d GiB that are needed/);
  });

  test('another cluster, another account and a context that is not there are sentences', async () => {
    const wrong = await refusal({
      cluster: 'stagign',
      'role-arn': 'arn:aws:iam::999999999999:role/ferry',
    });
    assert.match(wrong, /There is no EKS cluster stagign in eu-central-1/);
    assert.match(
      wrong,
      /belong to account 123456789012, and ferry:role-arn names a role of account 999999999999/,
    );
    assert.match(
      await refusal({}, { KUBECONFIG: '/dev/null' }),
      /There is no context nowhere in \/dev\/null/,
    );
  });

  test('an issuer that IAM does not know is told with the command that makes it known', async () => {
    const said = await refusal({ cluster: undefined, 'oidc-issuer': 'https://oidc.example.org/id/none' });
    assert.match(said, /IAM does not know the issuer https:\/\/oidc\.example\.org\/id\/none/);
    assert.match(said, /eksctl utils associate-iam-oidc-provider/);
  });

  test('a region of Pulumi’s own, other than the bucket’s, is refused', async () => {
    assert.match(
      await refusal({ region: 'eu-west-1' }),
      /aws:region is eu-central-1, and ferry:region is eu-west-1/,
    );
  });

  test('after all that the account is as it was', async () => {
    const { Buckets } = await clients(moto.endpoint).s3.send(new ListBucketsCommand({}));
    assert.deepEqual(Buckets ?? [], []);
  });
});
