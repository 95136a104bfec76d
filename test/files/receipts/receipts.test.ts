// Receipts: what was proved and freed is told in the bucket, whole, once, and never in two versions.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { toText } from '../../../app/files/paths.ts';
import { provedLine, RECEIPTS_PREFIX } from '../../../app/files/receipts/line.ts';
import { parseLine, type ReceiptLine } from '../../../app/files/receipts/parse.ts';
import { openSpool } from '../../../app/files/receipts/spool.ts';
import { createRig, dataObjects, type Rig } from '../../support/mover-rig.ts';
import { DENIED, type S3Request } from '../../support/s3/faults.ts';
import { tempDir, until } from '../../support/temp.ts';

const HOUR_MS = 3_600_000;
const AT = Date.UTC(2026, 10, 21, 13, 5);

/** Every line of every receipt in the bucket; each object must be whole and written once. */
function linesOf(rig: Rig): ReceiptLine[] {
  const lines: ReceiptLine[] = [];
  for (const [key, { body, puts }] of rig.server.objects) {
    if (!key.startsWith(RECEIPTS_PREFIX)) continue;
    assert.equal(puts, 1, key);
    assert.match(key, /^_receipts\/dt=\d{4}-\d\d-\d\d\/hh=\d\d\/[0-9a-f]{32}\.ndjson\.gz$/);
    const texts = gunzipSync(body ?? '')
      .toString()
      .split('\n')
      .slice(0, -1);
    const parsed = texts.map((text) => parseLine(text) ?? assert.fail(text));
    const end = parsed.at(-1);
    assert.ok(end?.event === 'end' && end.lines === parsed.length - 1 && end.lost === 0, key);
    lines.push(...parsed);
  }
  return lines;
}

const isReceiptPut = ({ op, key }: S3Request): boolean =>
  op === 'PutObject' && key.startsWith(RECEIPTS_PREFIX);

/** One object, or two where the hour ended in the middle of the test. */
function assertOneEachHour(rig: Rig): void {
  const keys = [...rig.server.objects.keys()].filter((key) => key.startsWith(RECEIPTS_PREFIX));
  const hours = new Set(keys.map((key) => dirname(key)));
  assert.ok(keys.length >= 1);
  assert.equal(keys.length, hours.size, keys.join(' '));
}

const filesOf = (lines: readonly ReceiptLine[], event: 'proved' | 'freed'): string[] =>
  lines.flatMap((line) => (line.event === event ? [line.file] : [])).sort();

test('what was proved and freed is told with object, checksum, times and why, in one object at the end', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, retentionMs: 0 } });
  const names = ['a.dat', 'dir/b "quoted".dat', 'c\u00fc.dat'];
  for (const name of names) rig.write(name);
  await rig.once();
  const lines = linesOf(rig);
  assert.deepEqual(filesOf(lines, 'proved'), [...names].sort());
  assert.deepEqual(filesOf(lines, 'freed'), [...names].sort());
  const proved = lines.find((line) => line.event === 'proved' && line.file === 'a.dat');
  assert.ok(proved?.event === 'proved');
  const object = rig.server.objects.get('a.dat');
  assert.deepEqual(
    [proved.sha256, proved.etag, proved.proof],
    [object?.sha256Hex, object?.etag.replaceAll('"', ''), 'put'],
  );
  assert.ok(proved.sent !== undefined && proved.written <= proved.sent && proved.sent <= proved.at);
  const freed = lines.find((line) => line.event === 'freed');
  assert.ok(freed?.event === 'freed' && freed.why === 'retention');
  assertOneEachHour(rig);
  assert.equal(dataObjects(rig.server).length, 3);
});

test('a run that moves nothing writes nothing, and --no-receipts writes none', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  await rig.once();
  assert.equal(rig.server.objects.size, 0);
  rig.write('a');
  await rig.once({ receipts: false });
  assert.equal(rig.server.objects.size, 1);
});

test('killed between proof and receipt, nothing that was proved is missing in the end', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, retentionMs: 0 } });
  for (let round = 0; round < 4; round += 1) {
    for (let file = 0; file < 40; file += 1) rig.write(`round-${round}/file-${file}`);
    const mover = await rig.start();
    await until(() => mover.snapshot().total.freed.files >= 10 * (round + 1) - 5, 'some are freed');
    mover.kill();
    await mover.done.catch(() => {});
  }
  await rig.once();
  const lines = linesOf(rig);
  assert.deepEqual([...new Set(filesOf(lines, 'freed'))].length, 160);
  assert.deepEqual([...new Set(filesOf(lines, 'proved'))].length, 160);
});

test('without the bucket they wait in the state directory, and go with the next start', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  rig.write('a');
  const denied = rig.server.faults.add({ when: isReceiptPut, do: DENIED });
  const { exit } = await rig.once();
  assert.equal(exit, 'ok', 'the files are what counts');
  assert.ok(rig.lines.some(({ message }) => /the last receipt waits for the next start/.test(message)));
  denied.remove();
  await rig.once();
  assert.deepEqual(filesOf(linesOf(rig), 'proved'), ['a']);
});

test('an answer that was lost writes no second object: the same lines have the same name', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  rig.write('a');
  rig.server.faults.add({
    when: isReceiptPut,
    times: 1,
    do: { kind: 'lost-answer' },
  });
  await rig.once();
  await rig.once();
  assert.deepEqual(filesOf(linesOf(rig), 'proved'), ['a']);
  assertOneEachHour(rig);
});

test('a key of a receipt that holds other content is never taken for ours; the receipt stays until the key holds it', async (t) => {
  const rig = await createRig(t, { settings: { receipts: true, keep: true } });
  rig.write('a');
  const denied = rig.server.faults.add({ when: isReceiptPut, do: DENIED });
  await rig.once();
  denied.remove();
  const directory = readdirSync(rig.state).find((name) => name.endsWith('.receipts')) ?? assert.fail('kept');
  const waiting = async () => (await openSpool(join(rig.state, directory), rig.source).ready())[0];
  const ready = (await waiting()) ?? assert.fail('it waits');
  const key = RECEIPTS_PREFIX + ready.key;
  const body = readFileSync(ready.path);
  for (const other of [Buffer.from('other'), Buffer.alloc(body.length)]) {
    rig.server.place(key, other);
    await rig.once();
    assert.equal((await waiting())?.name, ready.name, 'it still waits');
    assert.deepEqual(rig.server.objects.get(key)?.body, other, 'nothing is overwritten');
  }
  assert.ok(rig.lines.some(({ message }) => /with other content than its name tells/.test(message)));
  rig.server.place(key, body);
  await rig.once();
  assert.equal(await waiting(), undefined);
});

test('times are written in UTC to the millisecond, whatever the file system says', () => {
  const row = { path: 'a', key: 'k', sha256: '', etag: '', proof: 'put' } as const;
  for (const ms of [0, 7, 45.5, 999, 1_000, AT, AT + 1, -1, -62_167_219_200_000, 253_402_300_799_999]) {
    const line = provedLine({ ...row, stat: { size: 1, mtimeMs: ms, ctimeMs: 0, ino: 1 } }, AT + 12, ms);
    const expected = new Date(Math.floor(ms)).toISOString();
    assert.ok(line.includes(`"written":"${expected}"`) && line.includes(`"sent":"${expected}"`), line);
    assert.ok(line.includes(`"at":"${new Date(AT + 12).toISOString()}"`), line);
  }
});

test('names that JSON must escape are told as they are', () => {
  const row = { key: 'k"\\', sha256: '', etag: '"', proof: 'put' } as const;
  const stat = { size: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 };
  for (const path of ['plain ~!.dat', 'a"b', 'a\\b', 'a\nb', 'a\x7fb', 'c\xc3\xbc', 'd\xff']) {
    const parsed = parseLine(provedLine({ ...row, path, stat }, AT, undefined));
    assert.ok(parsed?.event === 'proved', path);
    assert.deepEqual([parsed.file, parsed.key, parsed.etag], [toText(path), row.key, row.etag]);
  }
});

test('each hour has its object, and a part torn by a kill is ended where its last whole line ends', async (t) => {
  const directory = join(await tempDir(t), 'spool');
  const line = (number: number) => `{"event":"freed","number":${number}}\n`;
  const first = openSpool(directory, '/source');
  first.add(line(1), AT);
  first.add(line(2), AT + HOUR_MS);
  first.flush();
  // As a kill leaves it: half a line at the end.
  const part =
    readdirSync(directory).find((name) => name.endsWith('.part')) ?? assert.fail('there is a part');
  appendFileSync(join(directory, part), '{"event":"freed","numb');
  const second = openSpool(directory, '/source');
  second.add(line(3), AT + HOUR_MS);
  second.seal(AT + HOUR_MS, false);
  assert.deepEqual(
    (await second.ready()).map(({ key }) => key.slice(0, 20)),
    ['dt=2026-11-21/hh=13/', 'dt=2026-11-21/hh=14/'],
  );
  second.seal(AT + 2 * HOUR_MS, false);
  const ready = await second.ready();
  const texts = ready.map(({ path }) => gunzipSync(readFileSync(path)).toString());
  const end = '{"event":"end","source":"/source","lines":1,"lost":0}\n';
  assert.deepEqual(
    texts.sort(),
    [1, 2, 3].map((number) => line(number) + end),
  );
  for (const { name } of ready) second.done(name);
  assert.deepEqual(readdirSync(directory), []);
});

test('lines arrive as they were, in order, whatever their length and letters', async (t) => {
  const directory = join(await tempDir(t), 'spool');
  const spool = openSpool(directory, '/s');
  const names = Array.from({ length: 3_000 }, (_, number) =>
    `${number} \u00fc\u20ac\u{1f980}`.repeat(number % 90),
  );
  names.splice(1_500, 0, 'x'.repeat(300_000), '\u20ac'.repeat(200_000));
  const lines = names.map((name) => `${JSON.stringify({ event: 'freed', name })}\n`);
  for (const line of lines) spool.add(line, AT);
  spool.seal(AT, true);
  const [ready] = await spool.ready();
  const text = gunzipSync(readFileSync(ready?.path ?? '')).toString();
  assert.ok(text.startsWith(lines.join('')), 'every line, in order');
  assert.match(text.slice(-100), /"lines":3002,"lost":0\}\n$/);
});

test('killed while it compresses, the same content gets the same name again', async (t) => {
  const directory = join(await tempDir(t), 'spool');
  const fill = (): void => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '2026-11-21T13.part'), '{"event":"freed"}\n');
  };
  fill();
  const before = await openSpool(directory, '/s').ready();
  // Compressed, but the kill came before the source was deleted.
  fill();
  const after = await openSpool(directory, '/s').ready();
  assert.deepEqual(after, before);
  assert.equal(readdirSync(directory).length, 1);
});

test('a state directory that cannot be written loses lines, counted, and no file', async (t) => {
  const directory = join(await tempDir(t), 'file');
  writeFileSync(directory, 'a file where the directory would be');
  const spool = openSpool(directory, '/s');
  spool.add('{"event":"freed"}\n', AT);
  spool.flush();
  assert.equal(spool.lost, 1);
  rmSync(directory);
  spool.add('{"event":"freed"}\n', AT);
  spool.seal(AT, true);
  const [ready] = await spool.ready();
  const text = gunzipSync(readFileSync(ready?.path ?? '')).toString();
  assert.match(text, /"lines":1,"lost":1\}/);
});
