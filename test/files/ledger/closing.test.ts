// A ledger is read from end to end when it is opened, unless it is what was closed in order.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { tempDir } from '../../support/temp.ts';
import { openIn, rowOf } from '../rows.ts';

const ROWS = 40;
/** No count of rows gives this. */
const FORGED = { files: 7, bytes: 77, unprovedFiles: 0, unprovedBytes: 0 };
const COUNTED = { files: ROWS, bytes: 10 * ROWS, unprovedFiles: ROWS / 2, unprovedBytes: 5 * ROWS };

/** A closed ledger whose note says something else than its rows: what it says next tells where it was read. */
async function closedLedger(t: Parameters<typeof tempDir>[0]) {
  const directory = await tempDir(t);
  const ledger = openIn(directory);
  for (let index = 0; index < ROWS; index += 1)
    ledger.remember(rowOf(`file ${index}`, { proved: index % 2 === 0 }), undefined);
  ledger.close();
  const name = readdirSync(directory).find((one) => one.endsWith('.sqlite'));
  assert.ok(name);
  const file = join(directory, name);
  const note = `${file}.closed`;
  const text = readFileSync(note, 'utf8');
  assert.deepEqual(JSON.parse(text).totals, COUNTED);
  writeFileSync(note, JSON.stringify({ ...JSON.parse(text), totals: FORGED }));
  return { directory, file, note };
}

test('a ledger found as it was left is not read; what it says of its rows is what it said', async (t) => {
  const { directory, note } = await closedLedger(t);
  const ledger = openIn(directory);
  assert.deepEqual({ ...ledger.totals }, FORGED);
  assert.ok(!existsSync(note), 'no note stands while it may change');
  ledger.remember(rowOf('one more'), undefined);
  ledger.close();
  assert.equal(JSON.parse(readFileSync(note, 'utf8')).totals.files, FORGED.files + 1);
});

const TOUCHED: Record<string, (file: string, note: string) => void> = {
  'a time of its own': (file) => utimesSync(file, 1_700_000_000, 1_700_000_000),
  'another file in its place': (file) => {
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  },
  'written by another program': (file) => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode=DELETE; UPDATE files SET etag = etag');
    db.close();
  },
  'commits that did not reach it': (file) => writeFileSync(`${file}-wal`, 'frames'),
  'a note cut short': (_file, note) => writeFileSync(note, readFileSync(note).subarray(0, 50)),
  'a note that is something else': (_file, note) => writeFileSync(note, '[]'),
};
for (const [name, touch] of Object.entries(TOUCHED))
  test(`a ledger not as it was left is read and counted: ${name}`, async (t) => {
    const { directory, file, note } = await closedLedger(t);
    touch(file, note);
    const ledger = openIn(directory);
    assert.deepEqual({ ...ledger.totals }, COUNTED);
    ledger.close();
  });

test('a ledger that was opened and never closed is read and counted, though it was not written to', async (t) => {
  const { directory } = await closedLedger(t);
  const script = `
    import { openIn } from ${JSON.stringify(new URL('../rows.ts', import.meta.url).href)};
    const { totals } = openIn(${JSON.stringify(directory)});
    console.log(totals.files);
    process.kill(process.pid, 'SIGKILL');`;
  const killed = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.deepEqual([killed.signal, killed.stdout.trim()], ['SIGKILL', String(FORGED.files)]);
  const ledger = openIn(directory);
  assert.deepEqual({ ...ledger.totals }, COUNTED);
  ledger.close();
});

test('while the note is made or taken, no other process has the ledger', async (t) => {
  const { directory, file } = await closedLedger(t);
  const script = `
    import { openIn } from ${JSON.stringify(new URL('../rows.ts', import.meta.url).href)};
    openIn(${JSON.stringify(directory)});`;
  const refusals: string[] = [];
  const { lstatSync } = fs;
  const hooked = t.mock.method(fs, 'lstatSync', (path: string, options: object) => {
    if (path === file)
      refusals.push(spawnSync(process.execPath, ['--input-type=module', '-e', script]).stderr.toString());
    return lstatSync(path, options);
  });
  t.after(() => {
    hooked.mock.restore();
    syncBuiltinESMExports();
  });
  syncBuiltinESMExports();
  const ledger = openIn(directory);
  assert.deepEqual({ ...ledger.totals }, FORGED);
  ledger.close();
  assert.equal(refusals.length, 2);
  for (const refusal of refusals) assert.match(refusal, /Another Ferry already moves/);
});

for (const totals of [
  { ...FORGED, bytes: -1 },
  { ...FORGED, unprovedFiles: 8 },
  { ...FORGED, files: 0.5 },
])
  test(`a note that cannot be true is not believed: ${JSON.stringify(totals)}`, async (t) => {
    const { directory, note } = await closedLedger(t);
    writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), totals }));
    const ledger = openIn(directory);
    assert.deepEqual({ ...ledger.totals }, COUNTED);
    ledger.close();
  });

test('of a ledger behind a link nothing is noted', async (t) => {
  const { directory, file, note } = await closedLedger(t);
  renameSync(file, join(directory, 'elsewhere'));
  symlinkSync('elsewhere', file);
  openIn(directory).close();
  assert.ok(!existsSync(note));
  mkdirSync(note);
  openIn(directory).close();
});
