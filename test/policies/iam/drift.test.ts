// What the program asks of S3, taken from the wire, and what its role may do are one set.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { openS3Store } from '../../../app/core/s3/store.ts';
import { loadSettings } from '../../../app/core/settings/settings.ts';
import { runDoctor } from '../../../app/files/doctor/doctor.ts';
import { doctorSpec } from '../../../app/files/settings.ts';
import { type CallMade, driftOf } from '../../../policies/iam/drift.ts';
import type { RoleInReview } from '../../../policies/iam/places.ts';
import { readRole } from '../../../policies/iam/reach.ts';
import { createRig, type Rig } from '../../support/mover-rig.ts';
import { put } from '../mutation.ts';
import { FULL, PLAIN, roleOf, targetWith } from '../program.ts';

const PREFIX = 'site-1';

/** Small and large files, a second pass that has lost its memory, and an upload that is given up; then the doctor. */
async function everyCall(t: TestContext): Promise<{ moving: CallMade[]; doctor: CallMade[] }> {
  const rig = await createRig(t, { prefix: `${PREFIX}/`, settings: { keep: true } });
  for (let file = 0; file < 20; file += 1) rig.write(`day/file-${file}`);
  rig.write('large', randomBytes(17 * 2 ** 20));
  assert.equal((await rig.once()).exit, 'ok');
  assert.equal((await rig.once({ state: `${rig.state}-lost` })).exit, 'ok');
  await giveUp(rig);
  const before = rig.server.requests.length;
  await askDoctor(rig);
  const calls = rig.server.requests.map(({ op, key, prefix }) => ({ operation: op, key, prefix }));
  return { moving: calls.slice(0, before), doctor: calls.slice(before) };
}

/** A large file that changes while it is sent. */
async function giveUp({ server }: Rig): Promise<void> {
  const { accessKeyId, secretAccessKey, bucket, endpoint, region } = server;
  const store = await openS3Store({
    bucket,
    prefix: `${PREFIX}/`,
    endpoint,
    region,
    pathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestTimeoutMs: 5_000,
    sse: 'none',
    sseKmsKeyId: undefined,
    mayRead: false,
    maxSockets: 4,
    env: {},
  });
  const changed = new Error('it changed');
  const source = {
    sizeBytes: 9 * 2 ** 20,
    read: (_: number, lengthBytes: number) => Buffer.alloc(lengthBytes),
    progress: () => {},
    beforeCommit: () => {
      throw changed;
    },
  };
  await assert.rejects(store.putLarge('given-up', source), changed);
  await store.close();
}

async function askDoctor({ server, state, source }: Rig): Promise<void> {
  const { accessKeyId, secretAccessKey, bucket, endpoint } = server;
  const flags = new Map(Object.entries({ to: `s3://${bucket}/${PREFIX}`, endpoint, state, source }));
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  await runDoctor(loadSettings(doctorSpec, { flags, env: {} }), {
    stdout,
    json: true,
    env: {},
    credentials: { accessKeyId, secretAccessKey },
  });
}

function withIdentity(role: RoleInReview, path: (string | number)[], value: unknown): RoleInReview {
  const copy = structuredClone(role);
  put(copy, ['identity', 'Statement', ...path], value);
  return copy;
}

test('every call the program makes is granted, and every grant is used by a call', async (t) => {
  const { moving: calls, doctor } = await everyCall(t);
  const kinds = new Set(calls.map(({ operation }) => operation));
  for (const kind of [
    'PutObject',
    'UploadPart',
    'CompleteMultipartUpload',
    'AbortMultipartUpload',
    'ListObjectsV2',
  ])
    assert.ok(kinds.has(kind), `${kind} was never called`);
  const plain = roleOf(await targetWith(PLAIN));
  for (const role of [plain, roleOf(await targetWith(FULL))])
    assert.deepEqual(driftOf(readRole(role), calls), { refused: [], unused: [] });

  // The doctor asks for what the role must not have, too, and is content with a refusal.
  const { refused } = driftOf(readRole(plain), doctor);
  assert.deepEqual(
    refused.map((each) => each.replace(/:.*/s, '')),
    ['DeleteObject needs s3', 'GetObject needs s3'],
  );

  const noAbort = withIdentity(plain, [0, 'Action'], ['s3:PutObject']);
  assert.match(
    String(driftOf(readRole(noAbort), calls).refused),
    /^AbortMultipartUpload needs s3:AbortMultipartUpload: /,
  );
  const narrow = withIdentity(plain, [1, 'Condition', 'StringLike', 's3:prefix'], 'site-1/dt=*');
  assert.match(
    String(driftOf(readRole(narrow), calls).refused),
    /ListObjectsV2 needs s3:ListBucket: .*s3:prefix/,
  );
  const tags = withIdentity(
    plain,
    [0, 'Action'],
    ['s3:PutObject', 's3:AbortMultipartUpload', 's3:PutObjectTagging'],
  );
  assert.deepEqual(driftOf(readRole(tags), calls), { refused: [], unused: ['s3:PutObjectTagging'] });
});

test('a call that nobody knows is drift', async () => {
  const calls = [{ operation: 'Unknown', key: 'a', prefix: '' }];
  const role = roleOf(await targetWith(PLAIN));
  assert.match(String(driftOf(readRole(role), calls).refused), /Unknown is a call/);
});
