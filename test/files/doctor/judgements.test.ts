import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VolumeStats } from '../../../app/core/disk.ts';
import { judgeCondition, judgeRead } from '../../../app/files/doctor/answers.ts';
import { judgeCredentials } from '../../../app/files/doctor/credentials.ts';
import { judgeApart } from '../../../app/files/doctor/folder.ts';
import { mountOf, parseMounts, volumeKind } from '../../../app/files/doctor/mounts.ts';
import { bypassesProxy } from '../../../app/files/doctor/network.ts';
import { judgeSample, type TreeSample } from '../../../app/files/doctor/source.ts';
import { judgeKind, judgeLimit } from '../../../app/files/doctor/volume.ts';

const GI = 2 ** 30;
const MOUNTS = parseMounts(
  [
    '27 1 254:0 / / rw,relatime - overlay overlay rw,lowerdir=/a',
    '30 27 0:27 / /data rw,relatime shared:1 master:2 - ext4 /dev/vdb rw,discard',
    '31 30 0:28 / /data/with\\040space ro,nosuid - nfs4 server:/x rw,vers=4.2',
    '32 27 0:29 / /data2 rw - tmpfs tmpfs rw',
    '',
  ].join('\n'),
);

test('the mount of a path is the longest above it, spaces in its name and all', () => {
  assert.equal(mountOf('/data/day-1', MOUNTS)?.type, 'ext4');
  assert.deepEqual(mountOf('/data/with space/x', MOUNTS), {
    mountPoint: '/data/with space',
    type: 'nfs4',
    readOnly: true,
  });
  assert.equal(mountOf('/data2', MOUNTS)?.type, 'tmpfs');
  assert.equal(mountOf('/database', MOUNTS)?.type, 'overlay');
});

test('a shared file system, a container layer and a coarse one are warned about, a local disk is not', () => {
  const level = (type: string) => judgeKind('/x', { mountPoint: '/x', type, readOnly: false }).level;
  for (const type of ['nfs', 'nfs4', 'cifs', '9p', 'fuse.sshfs', 'overlay', 'vfat'])
    assert.equal(level(type), 'warn', type);
  for (const type of ['ext4', 'xfs', 'btrfs', 'tmpfs']) assert.equal(level(type), 'ok', type);
  assert.equal(volumeKind('something-new'), 'other');
  assert.equal(judgeKind('/x', undefined).level, 'unknown');
});

test('a limit larger than its volume, too few inodes, and a missing limit in a pod are warned about', () => {
  const volume: VolumeStats = {
    sizeBytes: 16 * GI,
    freeBytes: 16 * GI,
    availableBytes: 15 * GI,
    inodes: 2 ** 20,
    freeInodes: 2 ** 20,
  };
  const levels = (limitBytes: number | undefined, inPod = false) =>
    judgeLimit(volume, limitBytes, inPod).map(({ check, level }) => `${check} ${level}`);
  assert.deepEqual(levels(2 * GI), ['volume.limit ok', 'volume.inodes ok']);
  // What the meter of `ferry files` takes for the limit, and no block that is reserved for root.
  assert.match(
    judgeLimit(volume, undefined, false)[0]?.message ?? '',
    /15\.0 GiB \(used and free for this user\)/,
  );
  assert.equal(levels(15.5 * GI)[0], 'volume.limit warn');
  assert.match(judgeLimit(volume, 8 * GI, false)[1]?.message ?? '', /2,097,152 small files/);
  assert.deepEqual(levels(20 * GI), ['volume.limit warn', 'volume.inodes warn']);
  assert.deepEqual(levels(8 * GI), ['volume.limit ok', 'volume.inodes warn']);
  assert.equal(levels(undefined, true)[0], 'volume.limit warn');
  assert.equal(levels(undefined)[0], 'volume.limit ok');
});

test('NO_PROXY names hosts, domains, ports or everything', () => {
  const bypasses = (url: string, noProxy: string) => bypassesProxy(new URL(url), noProxy);
  assert.ok(bypasses('https://b.s3.eu-west-1.amazonaws.com', '.amazonaws.com'));
  assert.ok(bypasses('https://b.s3.eu-west-1.amazonaws.com', 'x.org, *.amazonaws.com'));
  assert.ok(bypasses('http://minio:9000', 'minio:9000'));
  assert.ok(!bypasses('http://minio:9001', 'minio:9000'));
  assert.ok(bypasses('https://any.where', '*'));
  assert.ok(bypasses('http://[::1]:7070', '::1'));
  assert.ok(!bypasses('http://[::1]:7070', '[::1]:7071'));
  assert.ok(!bypasses('https://example.org', '*.example.org'));
  assert.ok(!bypasses('https://notamazonaws.com', 'amazonaws.com'));
  assert.ok(!bypasses('https://any.where', ''));
});

const CLEAN: TreeSample = {
  directories: 1,
  files: 100,
  complete: true,
  unreadable: [],
  locked: [],
  sticky: [],
  readOnly: false,
  unreadableFiles: [],
  wholeSeconds: false,
  inFuture: [],
};

test('times in whole seconds ask for a longer settle time', () => {
  const settle = (sample: Partial<TreeSample>, settleMs: number) =>
    judgeSample({ ...CLEAN, ...sample }, { source: '/x', keep: false, settleMs }).find(
      ({ check }) => check === 'source.settle',
    )?.level;
  assert.equal(settle({ wholeSeconds: true }, 1_000), 'warn');
  assert.equal(settle({ wholeSeconds: true }, 5_000), 'ok');
  assert.equal(settle({}, 1_000), 'ok');
  assert.equal(settle({ files: 2 }, 1_000), 'unknown');
});

test('what stands in the way of deleting does not matter when nothing is deleted', () => {
  const sample = { ...CLEAN, readOnly: true, locked: ['a'], sticky: ['b'] };
  const levels = (keep: boolean) =>
    judgeSample(sample, { source: '/x', keep, settleMs: 5_000 }).map(({ level }) => level);
  assert.ok(levels(false).includes('fail'));
  assert.ok(!levels(true).includes('fail'));
});

test('credentials are judged by where they come from and when they end', () => {
  const nowMs = Date.UTC(2026, 10, 20);
  const keys = { accessKeyId: 'AKIA', secretAccessKey: 'x' };
  const judge = (more: object, isAws = true) => judgeCredentials({ ...keys, ...more }, { isAws, nowMs });
  assert.equal(judge({}).level, 'warn');
  assert.equal(judge({}, false).level, 'ok');
  assert.equal(judge({ sessionToken: 't' }).level, 'warn');
  assert.equal(judge({ expiration: new Date(nowMs - 1) }).level, 'fail');
  const web = judge({
    sessionToken: 't',
    expiration: new Date(nowMs + 3_600_000),
    $source: { CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: 'h', CREDENTIALS_STS_ASSUME_ROLE_WEB_ID: 'k' },
  });
  assert.equal(web.message, 'Credentials come from a web identity (IRSA); these expire in 1h.');
});

test('a refusal counts only when it speaks of permissions', () => {
  const answer = (status: number, code: string) => ({ status, code, message: code });
  assert.equal(judgeRead(answer(403, 'AccessDenied'), false).level, 'ok');
  assert.equal(judgeRead(answer(403, 'SignatureDoesNotMatch'), false).level, 'unknown');
  assert.equal(judgeRead(answer(404, 'NoSuchKey'), false).level, 'warn');
  assert.equal(judgeRead(answer(0, ''), false).level, 'unknown');
  assert.equal(judgeCondition(answer(200, '')).level, 'fail');
});

test('a target inside the source, or the other way round, is a failure', () => {
  assert.equal(judgeApart('/data', '/data/out').level, 'fail');
  assert.equal(judgeApart('/data/in', '/data').level, 'fail');
  assert.equal(judgeApart('/data', '/data').level, 'fail');
  assert.equal(judgeApart('/data', '/database').level, 'ok');
});
