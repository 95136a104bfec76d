// `ferry files` as it is run: a dry run that touches nothing, and health checks that tell a dead store from a dead process.
import assert from 'node:assert/strict';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../../app/core/errors.ts';
import { resolveSettings } from '../../app/core/settings/settings.ts';
import { openStore } from '../../app/files/run.ts';
import { filesSpec } from '../../app/files/settings.ts';
import { ROOT } from '../support/cli.ts';
import { credentialsOf, type FerryChild, spawnFerry, spawnFiles } from '../support/ferry-child.ts';
import { createRig, localHashes, type Rig } from '../support/mover-rig.ts';
import { createGate, DENIED } from '../support/s3/faults.ts';
import { startS3Server } from '../support/s3/server.ts';
import { until } from '../support/temp.ts';
import { sha256 } from './array-store.ts';

function startFiles(t: TestContext, rig: Rig, ...flags: string[]): FerryChild {
  return spawnFiles(t, rig, ['--key', '{path}', ...flags]);
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
  assert.match(stdout.slice(0, 200), /"dry-run: looking at/, 'the first line says so');
  assert.match(stdout, /would delete 31 files now \(proved, past the retention of 0\), 13 later/);
  assert.doesNotMatch(stdout, /remembered|\d sent\b/);
  assert.match(stdout, /dry-run: 13 files \(10\.0 MiB\) would be sent, 31 are there already/);
});

test('a dry run compares files that have not settled yet too: what is there would not be sent', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 5; number += 1) rig.write(`file-${number}`, `content ${number}`);
  await rig.once({ keep: true });
  const run = startFiles(t, rig, '--dry-run', '--settle', '1h', '--state', `${rig.directory}/dry`);
  const { exit, stdout } = await run.ended;
  assert.equal(exit, EXIT.ok);
  assert.match(stdout, /dry-run: 0 files \(0 B\) would be sent, 5 are there already/);
  assert.match(stdout, /would delete 0 files now .* 5 later/);
});

test('--once ends with a line that says what was done, kept, skipped and left behind', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 3; number += 1) rig.write(`file-${number}`, `content ${number}`);
  symlinkSync('file-0', join(rig.source, 'link'));
  const { exit, stdout } = await startFiles(t, rig, '--once').ended;
  assert.equal(exit, EXIT.ok);
  assert.match(
    stdout,
    /"done: 3 files sent \(27 B\), 0 were there already, 3 proved, 0 freed \(3 are kept: --retention 24h\), 0 not yet proved; skipped 1 \(1 symlink\); left behind 0"/,
  );
});

test('a folder that does not exist yet is said to be one: a bucket may have been meant', async (t) => {
  const rig = await createRig(t);
  rig.write('file');
  const to = join(rig.directory, 'my-bucket');
  const run = () =>
    spawnFerry(t, ['files', '--source', rig.source, '--state', rig.state, '--to', to, '--once']).ended;
  assert.match(
    (await run()).stdout,
    /my-bucket does not exist yet and will be a folder; a bucket is written s3:/,
  );
  assert.doesNotMatch((await run()).stdout, /does not exist/);
});

test('on a terminal the status is drawn with its verdict, and the end stands below it in one sentence', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 20; number += 1) rig.write(`file-${number}`, `content ${number}`);
  if (!existsSync('/usr/bin/script')) return t.skip('needs script');
  const main = join(ROOT, 'app/main.ts');
  const words = [
    'files',
    '--source',
    rig.source,
    '--state',
    rig.state,
    '--to',
    `${rig.directory}/to`,
    '--once',
  ];
  const command = [process.execPath, main, ...words].join(' ');
  const { stdout } = await spawnFerry(t, [], {
    program: ['/usr/bin/script', '-qec', command, '/dev/null'],
    env: { TERM: 'xterm' },
  }).ended;
  assert.match(stdout, /ferry {4}running for/);
  assert.match(stdout, /verdict {2}\w+: /);
  assert.match(stdout, /done: 20 files sent/);
  assert.ok(stdout.includes('\u001b[?25h'), 'the cursor is back');
  assert.doesNotMatch(stdout, /"level"/);
});

/** Starts it with a server on a free port and waits until it says which. */
async function startListening(t: TestContext, rig: Rig, ...flags: string[]) {
  const run = startFiles(t, rig, '--listen', '127.0.0.1:0', ...flags);
  await until(() => /"listen":"[^"]+"/.test(run.stdout()), 'it says where it listens');
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
  await until(
    () => /"message":"[^"]*failed \d+ \(denied/.test(run.stdout()),
    'the summary line names the failure',
  );
});

test('as many connections as --concurrency says carry puts, however many more there are, and never one more', async (t) => {
  const server = await startS3Server();
  const credentials = credentialsOf(server);
  // The SDK's chain of credentials reads the process's own environment.
  const before = { ...process.env };
  Object.assign(process.env, credentials);
  t.after(async () => {
    for (const name of Object.keys(credentials)) delete process.env[name];
    Object.assign(process.env, before);
    await server.close();
  });
  const { endpoint } = server;
  const flags = {
    source: '/data/in',
    to: `s3://${server.bucket}`,
    endpoint,
    'path-style': true,
    concurrency: '5',
  };
  const { values } = resolveSettings(filesSpec, { flags: new Map(Object.entries(flags)), env: {} });
  assert.ok(values);
  const store = await openStore(values, {});
  t.after(() => store.close());
  const gate = createGate();
  t.after(gate.release);
  server.faults.add({ when: () => true, do: { kind: 'hold', gate, at: 'before' } });
  const body = Buffer.from('content');
  const puts = Array.from({ length: 30 }, (_, index) => store.put(`key-${index}`, body, sha256(body)));
  await until(() => gate.count() >= 5, 'five puts are held');
  gate.release();
  await Promise.all(puts);
  assert.equal(server.objects.size, 30);
  assert.equal(server.mostConnections(), 5);
});

test('a run has as many uploads on their way as --concurrency says', async (t) => {
  const rig = await createRig(t);
  for (let number = 0; number < 30; number += 1) rig.write(`file-${number}`);
  const gate = createGate();
  t.after(gate.release);
  rig.server.faults.add({
    when: ({ op }) => op === 'PutObject',
    do: { kind: 'hold', gate, at: 'before' },
  });
  const run = startFiles(t, rig, '--once', '--concurrency', '5');
  await until(() => gate.count() >= 5, 'five uploads are held');
  gate.release();
  assert.equal((await run.ended).exit, EXIT.ok);
  assert.ok(rig.asked('PutObject') >= 30);
  assert.equal(rig.server.mostConnections(), 5);
});
