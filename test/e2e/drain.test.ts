// Stopping as a pod is stopped: SIGTERM to the process, a budget, a second signal.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { type FerryChild, spawnFiles } from '../support/ferry-child.ts';
import { createRig, lost, type Rig } from '../support/mover-rig.ts';
import { createGate } from '../support/s3/faults.ts';
import { slowReply } from '../support/slow.ts';
import { until } from '../support/temp.ts';

function startFiles(t: TestContext, rig: Rig, ...flags: string[]): FerryChild {
  return spawnFiles(t, rig, ['--key', '{path}', '--walk-every', '50ms', ...flags]);
}

function landed(rig: Rig, prefix: string): number {
  return [...rig.server.objects.keys()].filter((key) => key.startsWith(prefix)).length;
}

test('SIGTERM: what is in flight ends, the newest files go first within the budget, a line says what is left, exit 0', async (t) => {
  const rig = await createRig(t);
  const old = Array.from({ length: 2_000 }, (_, number) => rig.write(`old/${number}`));
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: slowReply(60) });
  const run = startFiles(t, rig, '--concurrency', '4', '--drain', '4s', '--prove-every', '10s');
  await until(() => landed(rig, 'old/') >= 20, 'files are moving');
  const fresh = Array.from({ length: 20 }, (_, number) => rig.write(`fresh/${number}`));
  const stoppedMs = performance.now();
  run.child.kill('SIGTERM');
  const { exit, stdout } = await run.ended;
  const tookMs = performance.now() - stoppedMs;
  assert.equal(exit, EXIT.ok);
  // All of them would take half a minute.
  assert.ok(tookMs < 15_000, `the stop took ${Math.round(tookMs)} ms with a budget of 4 s`);
  assert.equal(landed(rig, 'fresh/'), 20);
  assert.ok(landed(rig, 'old/') < 2_000);
  const left = /drained: (\d+) files? (?:are|is) left/.exec(stdout);
  assert.ok(Number(left?.[1]) > 0, 'a line says how many are left');
  assert.ok(!rig.server.requests.some(({ status, op }) => op === 'PutObject' && status === 0));
  assert.deepEqual(lost(rig.server, rig.source, [...old, ...fresh]), []);
});

test('SIGTERM with nothing to do ends at once and says that nothing is left', async (t) => {
  const rig = await createRig(t);
  const run = startFiles(t, rig);
  await until(() => run.stdout().includes('moving '), 'it runs');
  await until(() => rig.asked('ListObjectsV2') > 0, 'it has asked the store');
  const stoppedMs = performance.now();
  run.child.kill('SIGTERM');
  const { exit, stdout } = await run.ended;
  assert.equal(exit, EXIT.ok);
  assert.ok(performance.now() - stoppedMs < 12_000, 'well within the budget of 25 s');
  assert.match(stdout, /drained: nothing is left to send/);
});

test('with a store that hangs, a drain ends within its budget and exits 0', async (t) => {
  const rig = await createRig(t);
  const hash = rig.write('file');
  const gate = createGate();
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: { kind: 'hold', gate, at: 'before' } });
  const run = startFiles(t, rig, '--drain', '1s');
  await gate.arrived;
  const stoppedMs = performance.now();
  run.child.kill('SIGTERM');
  const { exit, stdout } = await run.ended;
  const tookMs = performance.now() - stoppedMs;
  gate.release();
  assert.equal(exit, EXIT.ok);
  assert.ok(tookMs < 12_000, `${Math.round(tookMs)} ms, where a request may take 30 s`);
  assert.match(stdout, /drained: 1 file/);
  assert.deepEqual(lost(rig.server, rig.source, [hash]), []);
});

test('a second SIGTERM exits at once with 130', async (t) => {
  const rig = await createRig(t);
  rig.write('file');
  const gate = createGate();
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: { kind: 'hold', gate, at: 'before' } });
  const run = startFiles(t, rig, '--drain', '60s');
  await gate.arrived;
  run.child.kill('SIGTERM');
  await until(() => run.stdout().includes('stopping: up to'), 'it has heard the first one');
  const heardMs = performance.now();
  // Two within half a second count as one: a terminal and npm both deliver a Ctrl-C.
  await until(() => performance.now() - heardMs > 700, 'a person has lost patience');
  const secondMs = performance.now();
  run.child.kill('SIGTERM');
  const { exit } = await run.ended;
  gate.release();
  assert.equal(exit, EXIT.interrupted);
  assert.ok(performance.now() - secondMs < 15_000, 'long before the budget of 60 s');
});

test('with --once a SIGTERM ends the pass early, incomplete, and loses nothing', async (t) => {
  const rig = await createRig(t);
  const hashes = Array.from({ length: 300 }, (_, number) => rig.write(`file-${number}`));
  rig.server.faults.add({ when: ({ op }) => op === 'PutObject', do: slowReply(60) });
  const run = startFiles(t, rig, '--once', '--concurrency', '2', '--drain', '500ms');
  await until(() => rig.server.objects.size >= 5, 'files are moving');
  run.child.kill('SIGTERM');
  const { exit } = await run.ended;
  assert.equal(exit, EXIT.incomplete);
  assert.ok(rig.server.objects.size < 300);
  assert.deepEqual(lost(rig.server, rig.source, hashes), []);
});
