// The target without an account on a real cluster: the same program, and no AWS plug-in is ever started.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { kubectl } from './kubectl.ts';
import { lacks } from './needs.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

const namespace = `ferry-pulumi-${randomBytes(4).toString('hex')}`;

suite('the target without an account', { skip: lacks('pulumi', 'cluster') }, () => {
  const undo: (() => unknown)[] = [];
  const t = { after: (task: () => unknown) => void undo.unshift(task) };
  let stack: Stack;

  before(async () => {
    stack = await makeStack(t, {
      s3: 'in-cluster',
      // Nobody has these images: what is proved here is what the cluster is told, not that it runs.
      image: 'localhost/ferry-that-is-not-there:1',
      's3-image': 'localhost/s3-that-is-not-there:1',
      bucket: 'demo-bucket',
      namespace,
      'kube-context': await kubectl(['config', 'current-context']),
      wait: 'false',
      rate: '12',
      size: '1Ki',
      retention: '10m',
      outage: '1h',
    });
  });
  after(async () => {
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']).catch(
      () => undefined,
    );
    for (const task of undo) await task();
  });

  test('namespace and workload come to be, and a second up has nothing to do', async () => {
    await succeeded(stack.up());
    const names = await kubectl(['-n', namespace, 'get', 'deployments', '-o', 'name']);
    assert.deepEqual(names.split('\n').sort(), ['deployment.apps/ferry-s3', 'deployment.apps/file-writer']);
    assert.equal(
      await kubectl([
        'get',
        'namespace',
        namespace,
        '-o',
        'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}',
      ]),
      'restricted',
    );
    assert.deepEqual(await stack.plan('--expect-no-changes'), []);
  });

  test('no AWS plug-in has any part in it, and the keys of the S3 server are encrypted in the state', async () => {
    const { stdout } = await succeeded(stack.run(['stack', 'export']));
    assert.doesNotMatch(stdout, /pulumi:providers:aws|"aws:/);
    const secret = await kubectl([
      '-n',
      namespace,
      'get',
      'secret',
      'ferry-s3',
      '-o',
      'jsonpath={.data.AWS_SECRET_ACCESS_KEY}',
    ]);
    const plain = Buffer.from(secret, 'base64').toString();
    assert.ok(plain.length >= 32);
    assert.ok(!stdout.includes(plain) && !stdout.includes(secret));
  });

  test('the outputs are commands for this cluster', async () => {
    const { page, doctor, bucket } = await stack.outputs();
    assert.equal(bucket, 'demo-bucket');
    assert.match(
      String(page),
      new RegExp(`^kubectl --context \\S+ -n ${namespace} port-forward deployment/file-writer 9464$`),
    );
    assert.match(
      String(doctor),
      /doctor --source=.* --to=s3:\/\/demo-bucket .*--endpoint=http:\/\/ferry-s3\..* --path-style --volume-limit=\d+[KMG]i$/,
    );
  });

  test('destroy leaves nothing', async () => {
    await succeeded(stack.run(['destroy', '--yes', '--non-interactive', '--stack', stack.name]));
    assert.equal(await kubectl(['get', 'namespace', namespace, '--ignore-not-found', '-o', 'name']), '');
  });
});
