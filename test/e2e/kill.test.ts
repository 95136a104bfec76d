// kill -9 at random instants while a writer goes on: nothing is lost, nothing is there twice.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { PARTS_IN_FLIGHT } from '../../app/core/store.ts';
import { spawnFiles } from '../support/ferry-child.ts';
import { killRounds } from '../support/kill-rounds.ts';
import { createRig } from '../support/mover-rig.ts';
import { createGate } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

test('after 10 kills at random instants every completed file is in the bucket exactly once', async (t) => {
  await killRounds(t, { rounds: 10, loseStateEvery: 4 });
});

test('a large file killed halfway goes on where it was: no part is sent twice', async (t) => {
  const rig = await createRig(t);
  const hash = rig.write('large', randomBytes(40 * 2 ** 20));
  const gate = createGate();
  const held = rig.server.faults.add({
    when: ({ op, query }) => op === 'UploadPart' && query.get('partNumber') === '4',
    times: 1,
    do: { kind: 'hold', gate, at: 'before' },
  });
  const flags = ['--key', '{path}', '--keep'];
  const first = spawnFiles(t, rig, flags);
  await gate.arrived;
  first.child.kill('SIGKILL');
  await first.ended;
  held.remove();
  gate.release();
  const acknowledged = (): number =>
    rig.server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200).length;
  const second = spawnFiles(t, rig, [...flags, '--once']);
  assert.equal((await second.ended).exit, 0);
  await until(() => rig.server.objects.has('large'), 'it is there');
  assert.equal(rig.server.objects.get('large')?.sha256Hex, hash);
  assert.equal(rig.server.objects.get('large')?.puts, 1);
  assert.equal(rig.asked('CreateMultipartUpload'), 1);
  // Five parts, and again at most those that were on their way when it was killed.
  assert.ok(acknowledged() <= 5 + PARTS_IN_FLIGHT, `${acknowledged()} parts were taken`);
});
