// kill -9 at random instants: whatever was proved and freed has its lines in the end, and no receipt is torn or twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { RECEIPTS_PREFIX } from '../../../app/files/receipts/line.ts';
import { parseLine } from '../../../app/files/receipts/parse.ts';
import { credentialsOf, type FerryChild, spawnFerry, toServer } from '../../support/ferry-child.ts';
import { startKillWriter } from '../../support/kill-writer.ts';
import { createRig, isEmptied } from '../../support/mover-rig.ts';
import { until } from '../../support/temp.ts';

const ROUNDS = 5;

test('after kills at random instants every file has its lines in whole receipts', {
  timeout: 400_000,
}, async (t) => {
  const rig = await createRig(t);
  const writer = startKillWriter(rig.source, 5, 20, () => rig.server.objects.size);
  t.after(() => writer.stop());
  const times = ['--settle', '100ms', '--retention', '0', '--walk-every', '20ms', '--prove-every', '100ms'];
  const words = [
    'files',
    '--source',
    rig.source,
    '--state',
    rig.state,
    '--key',
    '{path}',
    '--walk-cpu-share',
    '1',
  ];
  const start = (): FerryChild =>
    spawnFerry(t, [...words, ...times, ...toServer(rig.server)], { env: credentialsOf(rig.server) });
  for (let round = 1; round <= ROUNDS; round += 1) {
    const run = start();
    const before = rig.server.requests.length;
    await until(() => rig.server.requests.length > before, 'it has asked the store', 60_000);
    const instantMs = performance.now() + 200 + Math.random() * 800;
    await until(() => performance.now() >= instantMs, 'a random instant');
    run.child.kill('SIGKILL');
    await run.ended;
  }
  writer.stop();
  const last = start();
  await until(() => isEmptied(rig.source), 'everything is moved and freed', 120_000, 100);
  last.child.kill('SIGTERM');
  await last.ended;

  const proved = new Set<string>();
  const provedFiles = new Set<string>();
  const freedFiles = new Set<string>();
  for (const [key, { body, puts }] of rig.server.objects) {
    if (!key.startsWith(RECEIPTS_PREFIX)) continue;
    assert.equal(puts, 1, key);
    const lines = gunzipSync(body ?? '')
      .toString()
      .split('\n')
      .slice(0, -1);
    const parsed = lines.map((line) => parseLine(line) ?? assert.fail(`${key}: ${line.slice(0, 200)}`));
    assert.equal(parsed.at(-1)?.event, 'end', key);
    for (const line of parsed) {
      if (line.event === 'proved') proved.add(line.sha256);
      if (line.event === 'proved') provedFiles.add(line.file);
      if (line.event === 'freed') freedFiles.add(line.file);
    }
  }
  const missing = writer.completed.filter((sha256) => !proved.has(sha256)).length;
  assert.deepEqual(
    { missing, unfreed: [...provedFiles].filter((file) => !freedFiles.has(file)).length },
    { missing: 0, unfreed: 0 },
  );
  t.diagnostic(`${ROUNDS} kills, ${writer.completed.length} files`);
});
