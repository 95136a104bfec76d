// Roles and bucket policy on a server that enforces them: each role, each call, each place, allowed or refused, against
// what the evaluator says of the same documents. The server is moto with authorization on. It enforces actions and
// resources of identity policies, and what a bucket policy refuses without a condition. It takes every condition for met,
// so statements with one are read without it here, and the tests that are about conditions say so by name. Its bucket
// policies know of three calls (GET, PUT and DELETE of an object), so an abort is a delete to them.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts';
import { stringify } from 'yaml';
import { declaredByContent } from '../../policies/deployed.ts';
import { decide } from '../../policies/iam/decide.ts';
import { readPolicy } from '../../policies/iam/document.ts';
import type { RoleInReview } from '../../policies/iam/places.ts';
import type { TargetInReview } from '../../policies/target.ts';
import { ACCOUNT, clients, EVENTS_PREFIX, eventsFile, eventsSettings, stagingSettings } from './account.ts';
import { CALLS, type Call, CHANGES, type Goal } from './matrix-calls.ts';
import { type Moto, startMoto } from './moto.ts';
import { lacks } from './needs.ts';

const ID = 'matrix';
const OWN = `acme-ferry-${ID}`;
const OTHER = `${OWN}0`;
const PLACES: Readonly<Record<string, Goal>> = {
  'files’ prefix': { Bucket: OWN, Key: 'site-1/dt=2026-11-21/a' },
  'events’ prefix': { Bucket: OWN, Key: `${EVENTS_PREFIX}/dt=2026-11-21/a` },
  'a prefix that begins alike': { Bucket: OWN, Key: 'site-10/a' },
  'no prefix': { Bucket: OWN, Key: 'a' },
  'another bucket': { Bucket: OTHER, Key: 'site-1/a' },
};
/** Whose own policies allow everything. */
const EVERYTHING = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }],
};

interface Document {
  readonly Version: string;
  readonly Statement: readonly { readonly Sid: string; readonly Condition?: unknown }[];
}

interface Actor {
  readonly name: string;
  readonly arn: string;
  readonly identity: unknown;
  readonly s3: S3Client;
}

/** The shape that infra/documents gives every document. */
const documentOf = (value: unknown): Document => value as Document;

/** As moto reads an identity policy. */
function withoutConditions(value: unknown): Document {
  const { Version, Statement } = documentOf(value);
  return { Version, Statement: Statement.map(({ Condition: _, ...statement }) => statement) };
}

/** What a bucket policy refuses whatever the request brings along. */
function unconditional(value: unknown): Document {
  const { Version, Statement } = documentOf(value);
  return { Version, Statement: Statement.filter(({ Condition }) => Condition === undefined) };
}

function evaluated(actor: Actor, call: Call, goal: Goal, bucketPolicy?: unknown): boolean {
  const bucket = `arn:aws:s3:::${goal.Bucket}`;
  const resource = { object: `${bucket}/${goal.Key}`, bucket, nothing: '*' }[call.on];
  const { outcome } = decide(
    {
      identity: readPolicy('identity', actor.identity),
      resource: bucketPolicy === undefined ? undefined : readPolicy('resource', bucketPolicy),
    },
    {
      caller: { type: 'AWS', value: actor.arn, account: ACCOUNT },
      action: call.action,
      resource,
      resourceAccount: ACCOUNT,
      context: { values: {}, open: false },
    },
  );
  return outcome === 'allowed';
}

/** Whether the server let it through: what it then found there does not matter. */
async function enforced({ s3 }: Actor, call: Call, goal: Goal): Promise<boolean> {
  try {
    await call.send(s3, goal);
    return true;
  } catch (error) {
    // The SDK throws nothing else for an answer.
    const { name, $metadata } = error as S3ServiceException;
    assert.notEqual(name, 'SignatureDoesNotMatch');
    assert.ok($metadata?.httpStatusCode !== undefined, String(error));
    return $metadata.httpStatusCode !== 403;
  }
}

suite('what each role may do on a server that enforces it', { skip: lacks('moto') }, () => {
  const undo: (() => unknown)[] = [];
  const t = { after: (task: () => unknown) => void undo.unshift(task) };
  let moto: Moto;
  let root: ReturnType<typeof clients>;
  let target: TargetInReview;
  let movers: Actor[];
  let administrator: Actor;

  async function actor(name: string, arn: string, trust: unknown, identity: unknown): Promise<Actor> {
    const RoleName = arn.replace(/^.*\//, '');
    const Path = /role(\/(?:.*\/)?)/.exec(arn)?.[1];
    await root.iam.send(
      new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    const PolicyDocument = JSON.stringify(identity);
    await root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'data', PolicyDocument }));
    const { Credentials } = await root.sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: arn,
        RoleSessionName: 'test',
        WebIdentityToken: 'a token',
      }),
    );
    const { s3 } = clients(moto.endpoint, {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    return { name, arn, identity: withoutConditions(identity), s3 };
  }

  before(async () => {
    moto = await startMoto(t);
    root = clients(moto.endpoint);
    const ours = Object.entries(stagingSettings(ID, 'nowhere')).map(([key, value]) => [
      `ferry:${key}`,
      value,
    ]);
    const content = stringify({ config: { ...Object.fromEntries(ours), ...eventsSettings(ID) } });
    target = await declaredByContent('matrix', content, () => eventsFile(ID), 'synthesized');
    for (const Bucket of [OWN, OTHER])
      await root.s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      );
    for (const goal of Object.values(PLACES))
      await root.s3.send(new PutObjectCommand({ ...goal, Body: 'x' }));
    const [files, events] = target.roles;
    assert.ok(files && events && target.roles.length === 2);
    const asMover = (name: string, { arn, trust, identity }: RoleInReview) =>
      actor(name, arn, trust, identity);
    movers = [await asMover('files', files), await asMover('events', events)];
    const arn = `arn:aws:iam::${ACCOUNT}:role/administrator`;
    administrator = await actor('administrator', arn, files.trust, EVERYTHING);
    await moto.authorize();
  });
  after(async () => {
    for (const task of undo) await task();
  });

  /** One line for each cell where server and evaluator differ, and how many cells were asked. */
  async function matrix(actors: readonly Actor[], calls: readonly Call[], bucketPolicy?: unknown) {
    const wrong: string[] = [];
    const allowed: string[] = [];
    let cells = 0;
    for (const who of actors)
      for (const call of calls)
        for (const [place, goal] of Object.entries(PLACES)) {
          const policy = goal.Bucket === OWN ? bucketPolicy : undefined;
          const [server, evaluator] = [await enforced(who, call, goal), evaluated(who, call, goal, policy)];
          cells += 1;
          if (server) allowed.push(`${who.name} ${call.name} ${place}`);
          if (server !== evaluator)
            wrong.push(
              `${who.name}, ${call.name} in ${place}: the server ${server ? 'allows' : 'refuses'} it, the evaluator does not`,
            );
        }
    return { wrong, allowed, cells };
  }

  test('of every call in every place, each role is allowed what the evaluator allows, and refused the rest', async (t) => {
    const { wrong, allowed, cells } = await matrix(movers, [...CALLS, ...CHANGES]);
    t.diagnostic(`${cells} cells, ${allowed.length} allowed, ${cells - allowed.length} refused`);
    for (const cell of allowed) t.diagnostic(`allowed: ${cell}`);
    assert.deepEqual(wrong, []);
    const written = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];
    const wanted = ['files', 'events'].flatMap((who) => [
      ...[...written, 'AbortMultipartUpload'].map((call) => `${who} ${call} ${who}’ prefix`),
      ...Object.keys(PLACES)
        .filter((place) => place !== 'another bucket')
        .map((place) => `${who} ListObjectsV2 ${place}`),
    ]);
    assert.deepEqual(allowed.sort(), wanted.sort());
  });

  test('whoever may everything is allowed everything, so that a refusal is one of the policies', async () => {
    const { wrong, allowed, cells } = await matrix([administrator], CALLS);
    assert.deepEqual(wrong, []);
    assert.equal(allowed.length, cells);
  });

  test('the bucket refuses deletes to administrators, too, below both prefixes and nowhere else', async () => {
    const policy = unconditional(target.roles[0]?.bucketPolicy);
    assert.deepEqual(
      policy.Statement.map(({ Sid }) => Sid),
      ['RefuseDeleting'],
    );
    await moto.trustAll();
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: OWN, Policy: JSON.stringify(policy) }));
    await moto.authorize();
    try {
      // An abort is a delete to moto.
      const calls = CALLS.filter(({ name }) => name !== 'AbortMultipartUpload');
      const { wrong, allowed, cells } = await matrix([administrator], calls, policy);
      assert.deepEqual(wrong, []);
      assert.equal(cells - allowed.length, 2);
      assert.ok(!allowed.some((cell) => /DeleteObject (files|events)’ prefix/.test(cell)));
    } finally {
      await moto.trustAll();
      await root.s3.send(new DeleteBucketPolicyCommand({ Bucket: OWN }));
      await moto.authorize();
    }
  });

  const CONDITIONAL = [
    'RefusePlainConnections',
    'RefuseOldTls',
    'RefuseOverwriting',
    'RefuseOtherWriters',
    'RefuseOtherWriters2',
  ];
  test(`not enforced here, as moto takes conditions for met: ${CONDITIONAL.join(', ')} and s3:prefix of ListThem`, async () => {
    const { Statement } = documentOf(target.roles[0]?.bucketPolicy);
    assert.deepEqual(
      Statement.filter(({ Condition }) => Condition !== undefined).map(({ Sid }) => Sid),
      CONDITIONAL,
    );
    // The day moto learns conditions, these fail and belong into the matrix.
    const [files] = movers;
    assert.ok(files);
    await files.s3.send(new ListObjectsV2Command({ Bucket: OWN, Prefix: `${EVENTS_PREFIX}/` }));
    await moto.trustAll();
    const full = JSON.stringify(target.roles[0]?.bucketPolicy);
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: OWN, Policy: full }));
    await moto.authorize();
    try {
      const put = new PutObjectCommand({ Bucket: OWN, Key: 'site-1/new', Body: 'x', IfNoneMatch: '*' });
      await assert.rejects(files.s3.send(put), 'a write that AWS would allow');
    } finally {
      await moto.trustAll();
      await root.s3.send(new DeleteBucketPolicyCommand({ Bucket: OWN }));
      await moto.authorize();
    }
  });
});
