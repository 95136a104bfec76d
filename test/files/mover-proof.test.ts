// No proof, no delete: whatever the listing does, a local file goes only once its object was seen.
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertExactly, createRig, localHashes } from '../support/mover-rig.ts';
import { DENIED, type FaultAction, type ListingLie } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

const isListing = ({ op }: { op: string }): boolean => op === 'ListObjectsV2';

const BROKEN: Record<string, FaultAction> = {
  denied: DENIED,
  'server error': { kind: 'status', status: 500, code: 'InternalError' },
  'half reply': { kind: 'half-reply' },
};
const LIES: readonly ListingLie[] = [
  'truncated',
  'unordered',
  'empty',
  'repeated',
  'from-the-start',
  'stray',
  'endless',
  'malformed',
];
for (const lie of LIES) BROKEN[`listing ${lie}`] = { kind: 'listing', lie };

for (const [name, fault] of Object.entries(BROKEN)) {
  test(`while the listing is broken (${name}) nothing is deleted that it did not show; healed, everything is freed`, async (t) => {
    const rig = await createRig(t, { prefix: 'site/' });
    rig.server.place('site/earlier', Buffer.from('an object that sorts before all others'));
    const mover = await rig.start();
    await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
    const broken = rig.server.faults.add({ when: isListing, do: fault });
    const hashes = Array.from({ length: 40 }, (_, number) => rig.write(`file-${number + 10}`));
    await until(() => mover.snapshot().total.sent.files >= 40, 'all are sent');
    await until(() => broken.hits() >= 4, 'the broken listing was asked several times');
    const { proved, freed } = mover.snapshot().total;
    // Half a page that says it is all still shows what it shows, and a page of one object cannot be out of order.
    const shown = name === 'listing truncated' ? 39 : name === 'listing unordered' ? broken.hits() : 0;
    assert.ok(proved.files <= shown, `${proved.files} were proved by this listing`);
    assert.ok(freed.files <= proved.files);
    assert.ok(localHashes(rig.source).size >= 40 - shown, 'what it did not show is still there');
    rig.server.faults.clear();
    await until(
      () => localHashes(rig.source).size === 0,
      'everything is freed once the listing heals',
      // A file whose object was missing again and again waits longer each time before it is sent again.
      120_000,
    );
    rig.server.remove('site/earlier');
    assertExactly(rig.server, hashes);
  });
}

test('a listing in an odd form proves as any other does; it is counted, and told once', async (t) => {
  const rig = await createRig(t);
  rig.write('plain');
  const { snapshot: before } = await rig.once();
  assert.deepEqual([before.total.freed.files, before.total.listingFallbacks], [1, 0]);
  rig.server.faults.add({ when: isListing, do: { kind: 'listing', lie: 'odd' } });
  for (let number = 0; number < 3; number += 1) rig.write(`file-${number}`);
  const { exit, snapshot } = await rig.once();
  assert.deepEqual([exit, snapshot.total.freed.files], ['ok', 3]);
  assert.ok(snapshot.total.listingFallbacks > 1, `${snapshot.total.listingFallbacks} pages`);
  const told = rig.lines.filter(({ odd }) => odd !== undefined);
  assert.deepEqual(
    told.map(({ level }) => level),
    ['warn'],
  );
  assert.match(String(told[0]?.odd), /^<!-- odd --><Contents xmlns="">/);
});

test('files stay for their retention although they are proved, and go when it is over', async (t) => {
  const retentionMs = 4_000;
  const rig = await createRig(t, { settings: { retentionMs } });
  const mover = await rig.start();
  rig.write('young');
  const { ctimeMs } = statSync(join(rig.source, 'young'));
  await until(() => mover.snapshot().total.proved.files === 1, 'it is proved');
  await until(() => !existsSync(join(rig.source, 'young')), 'the retention is over');
  // Whenever it was proved: before its time it did not go.
  const stayedMs = Date.now() - ctimeMs;
  assert.ok(stayedMs >= retentionMs, `${stayedMs} ms`);
  assert.equal(mover.snapshot().total.freed.files, 1);
  assert.equal(mover.snapshot().total.freedEarly.files, 0);
});

test('with --keep nothing is ever deleted', async (t) => {
  const rig = await createRig(t, { settings: { keep: true } });
  for (let number = 0; number < 20; number += 1) rig.write(`file-${number}`);
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.proved.files, 20);
  assert.equal(snapshot.total.freed.files, 0);
  assert.equal(localHashes(rig.source).size, 20);
});

test('an object that vanished from the bucket before its proof is sent again and its file not deleted before', async (t) => {
  const rig = await createRig(t);
  const mover = await rig.start();
  await until(() => mover.snapshot().total.walks > 0, 'the mover runs');
  const denied = rig.server.faults.add({ when: isListing, do: DENIED });
  const hash = rig.write('gone');
  await until(() => mover.snapshot().total.sent.files === 1, 'it is sent');
  rig.server.remove('gone');
  denied.remove();
  await until(() => mover.snapshot().total.vanishedObjects === 1, 'its absence is found');
  await until(() => !existsSync(join(rig.source, 'gone')), 'it is sent again, proved and freed');
  assertExactly(rig.server, [hash]);
  assert.equal(mover.snapshot().total.sent.files, 2);
});

test('an object that vanished between two runs is found out before the file is deleted', async (t) => {
  const rig = await createRig(t);
  const hash = rig.write('gone');
  await rig.once({ keep: true });
  rig.server.remove('gone');
  const mover = await rig.start();
  await until(() => !existsSync(join(rig.source, 'gone')), 'it is sent again, proved and freed');
  assertExactly(rig.server, [hash]);
  assert.equal(mover.snapshot().total.vanishedObjects, 1);
});

test('where ETags are not MD5s (SSE-KMS) uploads are proved all the same', async (t) => {
  const rig = await createRig(t, { sse: 'kms' });
  const hashes = Array.from({ length: 30 }, (_, number) => rig.write(`file-${number}`));
  const { exit, snapshot } = await rig.once();
  assert.equal(exit, 'ok');
  assert.equal(snapshot.total.freed.files, 30);
  assertExactly(rig.server, hashes);
});

test('with SSE-KMS, no memory and no read grant, the same size is no proof: sent again under a new key, then freed', async (t) => {
  const rig = await createRig(t, { sse: 'kms' });
  const hash = rig.write('file', 'content');
  await rig.once({ keep: true });
  const { exit } = await rig.once({ state: join(rig.directory, 'other-state') });
  assert.equal(exit, 'ok');
  assert.deepEqual(
    [...rig.server.objects.values()].map(({ sha256Hex, puts }) => [sha256Hex, puts]),
    [
      [hash, 1],
      [hash, 1],
    ],
  );
  assert.equal(localHashes(rig.source).size, 0);
});

test('with SSE-KMS, no memory and a read grant, the stored checksum is compared and nothing is sent', async (t) => {
  const rig = await createRig(t, { sse: 'kms' });
  const hash = rig.write('file', 'content');
  await rig.once({ keep: true });
  const { exit } = await rig.once({ state: join(rig.directory, 'other-state'), mayRead: true });
  assert.equal(exit, 'ok');
  assertExactly(rig.server, [hash]);
  assert.equal(localHashes(rig.source).size, 0);
});
