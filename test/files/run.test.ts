// `ferry files` as it is run: a dry run that touches nothing, and health checks that tell a dead store from a dead process.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { credentialsOf, type FerryChild, spawnFerry, toServer } from '../support/ferry-child.ts';
import { createRig, localHashes, type Rig } from '../support/mover-rig.ts';
import { DENIED } from '../support/s3/faults.ts';
import { until } from '../support/temp.ts';

function startFiles(t: TestContext, rig: Rig, ...flags: string[]): FerryChild {
  const words = [
    'files',
    '--source',
    rig.source,
    '--state',
    rig.state,
    '--key',
    '{path}',
    '--settle',
    '100ms',
  ];
  return spawnFerry(t, [...words, ...toServer(rig.server), ...flags], { env: credentialsOf(rig.server) });
}

test('--dry-run sends nothing, deletes nothing, leaves no state behind and says the numbers', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 30; number += 1) rig.write(`file-${number}`, 'x'.repeat(1_024 + number));
  rig.write('large', Buffer.alloc(9 * 2 ** 20, 'l'));
  await rig.once({ keep: true });
  for (let number = 0; number < 12; number += 1) rig.write(`more-${number}`, 'y'.repeat(512));
  rig.write('another-large', Buffer.alloc(10 * 2 ** 20, 'm'));
  const before = { requests: rig.server.requests.length, local: localHashes(rig.source) };
  const run = startFiles(t, rig, '--dry-run', '--retention', '0', '--state', `${rig.directory}/dry`);
  const { exit, stdout, stderr } = await run.ended;
  assert.equal(exit, EXIT.ok, stderr.slice(0, 400));
  const asked = rig.server.requests.slice(before.requests).map(({ op }) => op);
  assert.deepEqual([...new Set(asked)], ['ListObjectsV2']);
  assert.deepEqual(localHashes(rig.source), before.local);
  assert.ok(!existsSync(`${rig.directory}/dry`), 'no state directory was made');
  assert.match(stdout, /dry-run: 13 files \(10\.0 MiB\) would be sent, 31 are there already/);
});

/** Starts it with a server on a free port and waits until it says which. */
async function startListening(t: TestContext, rig: Rig, ...flags: string[]) {
  const run = startFiles(t, rig, '--listen', '127.0.0.1:0', ...flags);
  await until(() => /"listen":"[^"]+"/.test(run.stdout()), 'it says where it listens', 20_000);
  const listen = /"listen":"([^"]+)"/.exec(run.stdout())?.[1] ?? '';
  const address = listen.replace(/^http:\/\//, '').replace(/\/$/, '');
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://${address}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const metric = async (series: string): Promise<number | undefined> => {
    const { text } = await get('/metrics');
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { run, get, metric };
}

test('/livez stays well while the store is down, /readyz does not, and both come back with it', async (t) => {
  const rig = await createRig(t);
  const { get, metric } = await startListening(t, rig, '--walk-every', '50ms', '--retention', '0');
  await until(async () => (await get('/readyz')).status === 200, 'it is ready');
  assert.equal((await get('/livez')).status, 200);
  const down = rig.server.faults.add({ when: () => true, do: DENIED });
  rig.write('file');
  await until(async () => (await get('/readyz')).status === 503, 'it is not ready while the store is down');
  assert.equal((await get('/livez')).status, 200);
  assert.match((await get('/readyz')).text, /denied/i);
  assert.equal(await metric('ferry_files_store_up'), 0);
  down.remove();
  await until(async () => (await get('/readyz')).status === 200, 'it is ready again', 30_000);
  assert.equal((await get('/nothing-here')).status, 404);
});

test('a store that is down at the start is waited for: alive, not ready, and files move once it answers', async (t) => {
  const rig = await createRig(t);
  rig.write('file');
  const down = rig.server.faults.add({ when: () => true, do: { kind: 'reset' } });
  const { get } = await startListening(t, rig, '--retention', '0', '--prove-every', '1s');
  assert.equal((await get('/livez')).status, 200);
  assert.equal((await get('/readyz')).status, 503);
  await until(() => down.hits() > 0, 'it has tried');
  down.remove();
  await until(() => localHashes(rig.source).size === 0, 'the file is moved', 40_000);
});

test('the metrics of an idle writer and of a stuck uploader differ', async (t) => {
  const rig = await createRig(t);
  const flags = [
    '--walk-every',
    '50ms',
    '--retention',
    '0',
    '--prove-every',
    '200ms',
    '--summary-every',
    '300ms',
  ];
  const { run, metric } = await startListening(t, rig, ...flags);
  rig.write('moved');
  await until(() => localHashes(rig.source).size === 0, 'one file is moved');
  await until(async () => (await metric('ferry_files_backlog_files')) === 0, 'nothing waits');
  assert.equal(await metric('ferry_files_sent_total'), 1);
  assert.equal(await metric('ferry_files_freed_total'), 1);
  const idle = {
    unproved: await metric('ferry_files_unproved_files'),
    up: await metric('ferry_files_store_up'),
  };
  assert.deepEqual(idle, { unproved: 0, up: 1 });
  rig.server.faults.add({ when: () => true, do: DENIED });
  rig.write('stuck');
  await until(async () => (await metric('ferry_files_failures_total{reason="denied"}')) !== 0, 'a failure');
  assert.equal(await metric('ferry_files_store_up'), 0);
  await until(() => /"message":"[^"]*failed denied/.test(run.stdout()), 'the summary line names the failure');
});
