// Surroundings that do what they should not: a consumer that empties the bucket, a server that renames ETags, another
// endpoint, a disk that is not mounted, a hung start. Nothing is lost, nothing is asked without end.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, linkSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { ferry } from '../support/cli.ts';
import { createRig } from '../support/mover-rig.ts';
import { createGate } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

test('objects that are taken away as they come are sent again a bounded number of times, and --once ends', async (t) => {
  const rig = await createRig(t);
  const emptyListing = { kind: 'listing', lie: 'empty' } as const;
  for (let number = 0; number < 20; number += 1) rig.write(`file-${number}`);
  rig.server.faults.add({ when: ({ op }) => op === 'ListObjectsV2', do: emptyListing });
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'incomplete');
  assert.ok(rig.asked('PutObject') <= 60, `${rig.asked('PutObject')} PUTs`);
  assert.equal(snapshot.total.freed.files, 0);
  assert.equal(readdirSync(rig.source).length, 20);
});

test('an object that is there under another ETag is neither sent again nor ever taken for a proof', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 3; number += 1) rig.write(`file-${number}`);
  const mover = await rig.start({ retentionMs: 3_600_000, proveEveryMs: 60_000 });
  await until(() => mover.snapshot().total.sent.files === 3, 'all are sent');
  mover.kill();
  await mover.done.catch(() => {});
  for (const [name, object] of [...rig.server.objects]) {
    rig.server.remove(name);
    rig.server.place(name, Buffer.alloc(object.sizeBytes, 'other content of the same size '));
  }
  const again = await rig.start();
  await until(() => again.snapshot().total.listings >= 5, 'it was listed several times');
  assert.equal(rig.server.objects.size, 3);
  assert.equal(again.snapshot().total.freed.files, 0);
  assert.equal(readdirSync(rig.source).length, 3);
});

test('the same bucket name at another endpoint is another bucket: what is remembered of the first is not believed', async (t) => {
  const [first, second] = [await createRig(t), await createRig(t)];
  first.write('file');
  await first.once({ keep: true, endpoint: first.server.endpoint });
  assert.equal(first.server.objects.size, 1);
  second.write('file');
  const { snapshot } = await second.once({
    keep: true,
    endpoint: second.server.endpoint,
    state: first.state,
  });
  assert.equal(snapshot.total.sent.files, 1);
  assert.equal(second.server.objects.size, 1);
});

test('a folder that held objects and is empty at the next start is refused: it may not be mounted', async (t) => {
  const rig = await createRig(t);
  const bucket = join(rig.directory, 'bucket');
  const words = ['files', '--source', rig.source, '--to', bucket, '--state', rig.state];
  const move = () => ferry([...words, '--once', '--keep', '--settle', '100ms']);
  rig.write('file');
  assert.equal((await move()).exit, EXIT.ok);
  rmSync(bucket, { recursive: true });
  const { exit, stderr } = await move();
  assert.equal(exit, EXIT.store);
  assert.match(stderr, /is empty, yet 1 files were moved there\. Mount it again/);
  assert.ok(existsSync(join(rig.source, 'file')));
});

test('a stop ends a start whose first listing hangs, and a chmod or a hard link costs no second upload', async (t) => {
  const rig = await createRig(t);
  const gate = createGate();
  const hung = rig.server.faults.add({
    when: ({ op }) => op === 'ListObjectsV2',
    do: { kind: 'hold', gate, at: 'before' },
  });
  const mover = await rig.start({ drainMs: 500, requestTimeoutMs: 30_000 });
  await gate.arrived;
  const stoppedMs = performance.now();
  mover.drain();
  assert.equal(await mover.done, 'ok');
  assert.ok(
    performance.now() - stoppedMs < 15_000,
    'it ended within its budget, where a request may take 30 s',
  );
  hung.remove();
  gate.release();

  rig.write('file');
  const next = await rig.start({ retentionMs: 3_600_000 });
  await until(() => next.snapshot().retained.files === 1, 'it is proved');
  chmodSync(join(rig.source, 'file'), 0o600);
  await until(
    () => next.snapshot().unproved.files === 1 || next.snapshot().total.proved.files === 2,
    'it is seen',
  );
  await until(() => next.snapshot().retained.files === 1, 'it is proved again');
  assert.equal(rig.asked('PutObject'), 1);
  linkSync(join(rig.source, 'file'), join(rig.source, 'link'));
  await until(() => next.snapshot().retained.files === 2, 'both names are proved');
  assert.equal(rig.asked('PutObject'), 2);
});
