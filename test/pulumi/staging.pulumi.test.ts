// One deployment's life by Pulumi's real engine: a first `up` that dies half way, the next that finishes it, nothing to
// do after that, an edited day, a change behind its back, and the end. AWS is moto and the cluster is real; the AWS
// plug-in may be a bridge of ours in front of the real Terraform provider. So this does not prove AWS itself, nor
// pulumi-aws's own patches. What came to be is asked of the SDK and of kubectl, never of Pulumi.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMServiceException,
  ListRolePoliciesCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts';
import { bucketPolicy } from '../../infra/documents/bucket.ts';
import { roleName } from '../../infra/documents/policy.ts';
import { rolePolicy } from '../../infra/documents/role.ts';
import { irsaTrust } from '../../infra/documents/trust.ts';
import { at, synthesized, targetFrom } from '../manifests/targets.ts';
import {
  ACCOUNT,
  clients,
  createCluster,
  EVENTS_PREFIX,
  eventsFile,
  eventsSettings,
  REGION,
  stagingSettings,
} from './account.ts';
import { kubectl } from './kubectl.ts';
import { type Moto, startMoto } from './moto.ts';
import { lacks } from './needs.ts';
import { makeStack, motoConfig, type Settings, type Stack, succeeded } from './stack.ts';

const id = randomBytes(4).toString('hex');

/** What a person wrote of an object: no status, and none of what the cluster and the provider note beside it. */
function essence(object: Record<string, unknown>): object {
  const { status: _, metadata, ...rest } = object;
  const labels = { ...Object(at(metadata, ['labels'])) };
  delete labels['app.kubernetes.io/managed-by'];
  delete labels['kubernetes.io/metadata.name'];
  const annotations = Object.fromEntries(
    Object.entries(Object(at(metadata, ['annotations']))).filter(
      ([key]) => !/^(kubectl\.kubernetes\.io|pulumi\.com|deployment\.kubernetes\.io)\//.test(key),
    ),
  );
  return { ...rest, name: at(metadata, ['name']), labels, annotations };
}

suite('a deployment on AWS and a cluster', { skip: lacks('pulumi', 'moto', 'cluster') }, () => {
  const undo: (() => unknown)[] = [];
  const t = { after: (task: () => unknown) => void undo.unshift(task) };
  let moto: Moto;
  let stack: Stack;
  let settings: Settings;
  let issuer: string;

  before(async () => {
    moto = await startMoto(t);
    issuer = await createCluster(moto.endpoint);
    settings = stagingSettings(id, await kubectl(['config', 'current-context']));
    const around = { ...motoConfig(moto.endpoint, REGION), ...eventsSettings(id) };
    stack = await makeStack(t, settings, around, {}, { 'events.yaml': eventsFile(id) });
  });
  after(async () => {
    await kubectl(['delete', 'namespace', `ferry-${id}`, '--ignore-not-found', '--wait=false']).catch(
      () => undefined,
    );
    for (const task of undo) await task();
  });

  const bucket = { Bucket: `acme-ferry-${id}` };
  const role = roleName(`arn:aws:iam::${ACCOUNT}:role/team/ferry-${id}`);
  const place = { partition: 'aws', bucket: bucket.Bucket, prefix: 'site-1' };
  const eventsRole = roleName(`arn:aws:iam::${ACCOUNT}:role/team/ferry-events-${id}`);
  const others = [{ prefix: EVENTS_PREFIX, writer: eventsRole.arn }];

  test('a first up whose endpoint dies half way ends with an error, and leaves what it made', async () => {
    moto.breakAt(({ method, url }) => method === 'PUT' && /\?policy/.test(url ?? ''));
    const { exit, stdout } = await stack.up();
    moto.breakAt(undefined);
    assert.notEqual(exit, 0);
    assert.match(stdout, /error/);
    await clients(moto.endpoint).s3.send(new GetPublicAccessBlockCommand(bucket));
  });

  test('an up that is interrupted keeps what it has made and owes nothing', async () => {
    const pressed = new AbortController();
    moto.breakAt(({ method, url }) => {
      if (method === 'PUT' && /\?versioning/.test(url ?? '')) pressed.abort();
      return false;
    });
    const words = ['up', '--yes', '--skip-preview', '--non-interactive', '--stack', stack.name];
    const { exit } = await stack.run(words, {}, pressed.signal);
    moto.breakAt(undefined);
    assert.equal(pressed.signal.aborted, true);
    assert.notEqual(exit, 0);
    const { stdout } = await succeeded(stack.run(['stack', 'export', '--stack', stack.name]));
    assert.deepEqual(JSON.parse(stdout).deployment.pending_operations ?? [], []);
  });

  test('the next up finishes it, and there is one of everything', async () => {
    await succeeded(stack.up());
    const all = clients(moto.endpoint);
    const { Buckets = [] } = await all.s3.send(new ListBucketsCommand({}));
    assert.deepEqual(
      Buckets.map(({ Name }) => Name),
      [bucket.Bucket],
    );
    const { Roles = [] } = await all.iam.send(new ListRolesCommand({}));
    assert.deepEqual(Roles.map(({ Arn }) => Arn).sort(), [role.arn, eventsRole.arn].sort());
    const { s3, iam } = clients(moto.endpoint);
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand(bucket));
    assert.deepEqual(JSON.parse(Policy), bucketPolicy({ ...place, writer: role.arn, others }));
    const access = await s3.send(new GetPublicAccessBlockCommand(bucket));
    assert.deepEqual(access.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const owner = await s3.send(new GetBucketOwnershipControlsCommand(bucket));
    assert.equal(owner.OwnershipControls?.Rules?.[0]?.ObjectOwnership, 'BucketOwnerEnforced');
    assert.equal((await s3.send(new GetBucketVersioningCommand(bucket))).Status, 'Enabled');
    const encryption = await s3.send(new GetBucketEncryptionCommand(bucket));
    assert.equal(
      encryption.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault
        ?.SSEAlgorithm,
      'AES256',
    );
    const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand(bucket));
    assert.deepEqual(
      Rules.map(({ ID }) => ID),
      ['abort-unfinished-uploads', 'archive-in-deep-archive', 'delete-old-versions'],
    );
    assert.deepEqual(Rules[1]?.Transitions, [{ Days: 365, StorageClass: 'DEEP_ARCHIVE' }]);
    assert.equal(Rules[1]?.Filter?.And?.ObjectSizeGreaterThan, 524_287);

    for (const [one, name, prefix] of [
      [role, 'file-writer', 'site-1'],
      [eventsRole, 'ferry-events', EVENTS_PREFIX],
    ] as const) {
      const { Role } = await iam.send(new GetRoleCommand({ RoleName: one.name }));
      assert.equal(Role?.Arn, one.arn);
      assert.deepEqual(
        JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')),
        irsaTrust(one, issuer, { namespace: `ferry-${id}`, name }),
      );
      const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName: one.name }));
      assert.deepEqual(PolicyNames, ['data']);
      const granted = await iam.send(new GetRolePolicyCommand({ RoleName: one.name, PolicyName: 'data' }));
      assert.deepEqual(
        JSON.parse(decodeURIComponent(granted.PolicyDocument ?? '')),
        rolePolicy({ ...place, prefix, region: REGION }),
      );
    }
    assert.equal(
      await kubectl([
        '-n',
        `ferry-${id}`,
        'get',
        'deployment',
        'file-writer',
        '-o',
        'jsonpath={.metadata.name}',
      ]),
      'file-writer',
    );
  });

  test('after that there is nothing to do', async () => {
    assert.deepEqual(await stack.plan('--expect-no-changes'), []);
  });

  test('an edited day of the lifecycle shows as exactly that', async () => {
    stack.write({ ...settings, 'deep-archive-days': '400' });
    const plan = await stack.plan();
    stack.write(settings);
    assert.deepEqual(plan, [
      {
        op: 'update',
        what: 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration data',
        differs: ['rules.1.transitions.0.days'],
      },
    ]);
  });

  test('what is in the cluster is what the YAML says, object by object, and nothing more', async () => {
    const text = readFileSync(join(stack.directory, 'Pulumi.test.yaml'), 'utf8');
    const { documents } = await synthesized(targetFrom('test', text, () => eventsFile(id)));
    assert.ok(documents.length >= 7);
    for (const document of documents) {
      const [kind, name] = [at(document, ['kind']), at(document, ['metadata', 'name'])].map(String);
      // What the server would hold if kubectl had sent the YAML, its defaults filled in.
      const wanted = await kubectl(
        ['replace', '--dry-run=server', '-o', 'json', '-f', '-'],
        JSON.stringify(document),
      );
      const there = JSON.parse(
        await kubectl(['-n', `ferry-${id}`, 'get', `${kind}`, `${name}`, '-o', 'json']),
      );
      assert.deepEqual(essence(there), essence(JSON.parse(wanted)), `${kind} ${name}`);
    }
    const kinds =
      'deployments,cronjobs,jobs,configmaps,services,serviceaccounts,networkpolicies,poddisruptionbudgets,secrets,persistentvolumeclaims';
    const all = (await kubectl(['-n', `ferry-${id}`, 'get', kinds, '-o', 'name'])).split('\n');
    const clusters = ['serviceaccount/default', 'configmap/kube-root-ca.crt'];
    const own = all.filter((one) => !clusters.includes(one));
    assert.equal(own.length, documents.length - 1, own.join(', '));
  });

  test('each role’s keys write below its own prefix and list that, and are refused everything else', async () => {
    const root = clients(moto.endpoint);
    // moto takes every condition for met, so the bucket's refusals would refuse all: they are set aside here.
    const { Policy } = await root.s3.send(new GetBucketPolicyCommand(bucket));
    await root.s3.send(new DeleteBucketPolicyCommand(bucket));
    await root.s3.send(new PutObjectCommand({ Bucket: bucket.Bucket, Key: 'site-2/others', Body: 'x' }));
    const keysOf = async ({ arn }: typeof role) => {
      const asked = { RoleArn: arn, RoleSessionName: 'test', WebIdentityToken: 'a token' };
      const { Credentials } = await root.sts.send(new AssumeRoleWithWebIdentityCommand(asked));
      return clients(moto.endpoint, {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      });
    };
    const denied = (error: S3ServiceException | IAMServiceException) =>
      error.$metadata.httpStatusCode === 403 && error.name !== 'SignatureDoesNotMatch';
    const both = [
      { one: role, prefix: 'site-1', other: EVENTS_PREFIX, ...(await keysOf(role)) },
      { one: eventsRole, prefix: EVENTS_PREFIX, other: 'site-1', ...(await keysOf(eventsRole)) },
    ];
    await moto.authorize();
    try {
      for (const { one, prefix, other, s3, iam } of both) {
        const Key = `${prefix}/dt=2026-11-21/a`;
        await s3.send(new PutObjectCommand({ ...bucket, Key, Body: 'a', IfNoneMatch: '*' }));
        const listed = await s3.send(new ListObjectsV2Command({ ...bucket, Prefix: `${prefix}/` }));
        assert.deepEqual(
          listed.Contents?.map((found) => found.Key),
          [Key],
        );
        const large = { ...bucket, Key: `${Key}-large` };
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand(large));
        await s3.send(new AbortMultipartUploadCommand({ ...large, UploadId }));
        await assert.rejects(s3.send(new GetObjectCommand({ ...bucket, Key })), denied);
        await assert.rejects(s3.send(new HeadObjectCommand({ ...bucket, Key })), denied);
        await assert.rejects(s3.send(new DeleteObjectCommand({ ...bucket, Key })), denied);
        for (const elsewhere of ['site-2/b', `${prefix}0/b`, `${other}/b`])
          await assert.rejects(
            s3.send(new PutObjectCommand({ ...bucket, Key: elsewhere, Body: 'b' })),
            denied,
            elsewhere,
          );
        await assert.rejects(s3.send(new ListBucketsCommand({})), denied);
        await assert.rejects(s3.send(new DeleteBucketPolicyCommand(bucket)), denied);
        await assert.rejects(iam.send(new GetRoleCommand({ RoleName: one.name })), denied);
      }
    } finally {
      await moto.trustAll();
      await root.s3.send(new PutBucketPolicyCommand({ ...bucket, Policy }));
    }
  });

  test('what was changed behind its back is found by a refresh and mended by up', async () => {
    const { s3 } = clients(moto.endpoint);
    await s3.send(
      new PutPublicAccessBlockCommand({
        ...bucket,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true },
      }),
    );
    const open = await stack.plan('--refresh');
    assert.deepEqual(
      open.map(({ op, what }) => `${op} ${what}`),
      ['update aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock data'],
    );
    await succeeded(stack.run(['up', '--refresh', '--yes', '--non-interactive', '--stack', stack.name]));
    const mended = await s3.send(new GetPublicAccessBlockCommand(bucket));
    assert.equal(mended.PublicAccessBlockConfiguration?.RestrictPublicBuckets, true);
    assert.deepEqual(await stack.plan('--refresh', '--expect-no-changes'), []);
  });

  test('destroy is refused as long as the bucket is protected, and without it leaves nothing but the bucket', async () => {
    const refused = await stack.run(['destroy', '--yes', '--non-interactive', '--stack', stack.name]);
    assert.notEqual(refused.exit, 0);
    assert.match(`${refused.stdout}${refused.stderr}`, /protected/);
    const { stdout } = await succeeded(
      stack.run(['destroy', '--exclude-protected', '--yes', '--non-interactive', '--stack', stack.name]),
    );
    assert.match(stdout, /protected resources/);
    const { s3, iam } = clients(moto.endpoint);
    await s3.send(new GetBucketPolicyCommand(bucket));
    await s3.send(new GetBucketLifecycleConfigurationCommand(bucket));
    for (const { name } of [role, eventsRole])
      await assert.rejects(iam.send(new GetRoleCommand({ RoleName: name })), { name: /NoSuchEntity/ });
    assert.equal(await kubectl(['get', 'namespace', `ferry-${id}`, '--ignore-not-found', '-o', 'name']), '');
  });
});
