// `ferry where`, `ferry receipts` and `ferry verify` answer from the receipts when the local file is long gone.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseTime } from '../../../app/commands/times.ts';
import { EXIT } from '../../../app/core/errors.ts';
import { RECEIPTS_PREFIX } from '../../../app/files/receipts/line.ts';
import { credentialsOf, spawnFerry, toServer } from '../../support/ferry-child.ts';
import { createRig, type Rig } from '../../support/mover-rig.ts';

const today = (): string => new Date().toISOString().slice(0, 10);

async function ask(t: TestContext, rig: Rig, ...words: string[]) {
  const run = spawnFerry(t, [...words, ...toServer(rig.server)], { env: credentialsOf(rig.server) });
  const { exit, stdout, stderr } = await run.ended;
  return { exit, stdout, stderr };
}

test('a file that is gone here is found with its object, its times and why it went', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, retentionMs: 0 } });
  const sha256 = rig.write('2026/run-42.dat');
  await rig.once();
  const found = await ask(t, rig, 'where', 'run-42.dat');
  assert.equal(found.exit, EXIT.ok, found.stderr);
  assert.match(
    found.stdout,
    /^2026\/run-42\.dat\n {2}object {3}s3:\/\/ferry-test\/2026\/run-42\.dat, \d+ B\n/,
  );
  assert.ok(found.stdout.includes(sha256));
  assert.match(found.stdout, /proved {3}.* UTC: the store verified its SHA-256/);
  assert.match(found.stdout, /freed {4}.* UTC: its retention was over/);
  const asJson = await ask(t, rig, 'where', '2026/run-42.dat', '--json');
  assert.equal(JSON.parse(asJson.stdout)[0].proved.sha256, sha256);
  const none = await ask(t, rig, 'where', 'run-4.dat');
  assert.equal(none.exit, EXIT.unhealthy);
  assert.match(none.stdout, /^No receipt from .* tells of run-4\.dat/);
  const before = await ask(t, rig, 'where', 'run-42.dat', '--until', '1h');
  assert.equal(before.exit, EXIT.unhealthy, 'outside of the time asked for nothing is said');
});

test('the receipts of a time are printed line by line, for people and for programs', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, retentionMs: 0 } });
  rig.write('a');
  rig.write('b');
  await rig.once();
  const lines = (await ask(t, rig, 'receipts', '--json', '--from', '1h')).stdout.trimEnd().split('\n');
  assert.deepEqual(lines.map((line) => JSON.parse(line).event).sort(), [
    'freed',
    'freed',
    'proved',
    'proved',
  ]);
  const text = (await ask(t, rig, 'receipts')).stdout;
  assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}proved {2}[ab] {2}\d+ B {2}[ab]$/m);
  assert.equal((await ask(t, rig, 'receipts', '--from', '2020-01-01', '--until', '2020-01-02')).stdout, '');
  for (const [to, printed] of [
    ['1h', false],
    ['2020-01-02', false],
    ['0s', true],
  ] as const) {
    const spanned = await ask(t, rig, 'receipts', '--from', '2019-12-31', '--to', to);
    assert.equal(spanned.stdout !== '', printed, `--to ${to}: ${spanned.stderr}`);
  }
  const wrong = await ask(t, rig, 'receipts', '--from', 'yesterday');
  assert.equal(wrong.exit, EXIT.config);
  assert.match(wrong.stderr, /--from "yesterday" is no time\. Write 2026-11-20/);
});

test('verify finds an object that is gone, one that is another, a file that went unfreed and one without a receipt', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  for (const name of ['fine', 'lost', 'other', 'taken']) rig.write(name);
  await rig.once();
  const verify = (...words: string[]) =>
    ask(t, rig, 'verify', '--day', today(), '--source', rig.source, ...words);
  const well = await verify();
  assert.equal(well.exit, EXIT.ok, well.stdout + well.stderr);
  assert.match(
    well.stdout,
    /[12] receipts tell of 4 files proved, 0 of them freed since, 4 local files of that day; no difference/,
  );
  rig.server.remove('lost');
  rig.server.remove('other');
  rig.server.place('other', Buffer.from('other content'));
  rmSync(join(rig.source, 'taken'));
  rig.write('new');
  const found = await verify('--json');
  assert.equal(found.exit, EXIT.unhealthy);
  const lines = found.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines
      .slice(0, -1)
      .map(({ kind, file }) => `${kind} ${file}`)
      .sort(),
    ['gone-unfreed taken', 'no-receipt new', 'object-differs other', 'object-missing lost'],
  );
  assert.equal(lines.at(-1).differences, 4);
});

test('a receipt that is not whole is no answer', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  rig.write('a');
  await rig.once();
  const [key, object] = [...rig.server.objects].find(([name]) => name.startsWith(RECEIPTS_PREFIX)) ?? [];
  assert.ok(key !== undefined && object?.body !== undefined);
  const text = gunzipSync(object.body).toString();
  rig.server.remove(key);
  rig.server.place(key, gzipSync(text.slice(0, text.lastIndexOf('{'))));
  for (const words of [['where', 'a'], ['receipts'], ['verify']]) {
    const { exit, stderr } = await ask(t, rig, ...words);
    assert.equal(exit, EXIT.store, words[0]);
    assert.match(stderr, /is not whole: its end is missing/);
  }
});

test('times are read as people write them, in UTC', () => {
  const now = Date.UTC(2026, 10, 21, 12);
  assert.equal(parseTime('--from', '2026-11-20', now), Date.UTC(2026, 10, 20));
  assert.equal(parseTime('--from', '2026-11-20T06', now), Date.UTC(2026, 10, 20, 6));
  assert.equal(parseTime('--from', '2026-11-20T06:30', now), Date.UTC(2026, 10, 20, 6, 30));
  assert.equal(parseTime('--from', '2026-11-20T06:30:15Z', now), Date.UTC(2026, 10, 20, 6, 30, 15));
  assert.equal(parseTime('--from', '12h', now), Date.UTC(2026, 10, 21));
  for (const wrong of ['', '2026-13-01', '20.11.2026', '2026-11-20T25'])
    assert.throws(() => parseTime('--from', wrong, now), /is no time/);
});
