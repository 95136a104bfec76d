// A memory that is lost, old or broken costs work, never a file and never the start.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { noteClosing } from '../../../app/files/ledger/closing.ts';
import type { FileStat } from '../../../app/files/walk.ts';
import { tempDir } from '../../support/temp.ts';
import { allProved, allUnproved, openIn, rowOf } from '../rows.ts';

const ROWS = 400;
const TOTALS = { files: ROWS, bytes: 10 * ROWS, unprovedFiles: ROWS / 2, unprovedBytes: 5 * ROWS };

const LARGE: FileStat = { size: 2 ** 30, mtimeMs: 1, ctimeMs: 1, ino: 1 };

/** A ledger with rows, closed; answers its file. */
function makeLedger(directory: string): string {
  const ledger = openIn(directory);
  for (let index = 0; index < ROWS; index += 1) {
    ledger.remember(rowOf(`file ${index}`, { proved: index % 2 === 0, arrivedMs: index }), undefined);
  }
  ledger.reconciled = true;
  ledger.uploads.set('large', 'key', LARGE, { uploadId: 'id'.repeat(50), parts: [] });
  ledger.close();
  const name = readdirSync(directory).find((file) => file.endsWith('.sqlite'));
  assert.ok(name);
  return join(directory, name);
}

/** Opens and uses all of it; answers whether the damage was seen. */
function openDamaged(directory: string): { damaged: boolean; files: number; reconciled: boolean } {
  let damaged = false;
  const ledger = openIn(directory, () => {
    damaged = true;
  });
  allUnproved(ledger);
  allProved(ledger);
  ledger.get('file 1');
  ledger.newest({ after: undefined, sinceMs: 0, name: 'file', limit: 10 });
  ledger.due(ROWS, ROWS);
  ledger.uploads.get('large', 'key', LARGE);
  for (let turns = 0; ledger.warmUp(); turns += 1) assert.ok(turns < 1_000, 'warming up does not advance');
  try {
    ledger.candidates.after('', '', 10);
  } catch {
    assert.ok(damaged, 'only what is set aside may fail a reconcile, which then begins anew');
  }
  ledger.remember(rowOf('new'), ledger.get('new'));
  ledger.commit();
  assert.ok(ledger.get('new'));
  const { reconciled } = ledger;
  const { files } = ledger.totals;
  ledger.close();
  return { damaged, files, reconciled };
}

const asides = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.includes('.damaged-'));

test('a lost memory begins anew and knows that it must ask the bucket first', async (t) => {
  const directory = await tempDir(t);
  rmSync(makeLedger(directory));
  assert.deepEqual(openDamaged(directory), { damaged: false, files: 1, reconciled: false });
});

test('an older copy put back opens as what it is', async (t) => {
  const directory = await tempDir(t);
  const file = makeLedger(directory);
  const copy = join(directory, 'copy');
  cpSync(file, copy);
  const ledger = openIn(directory);
  ledger.remember(rowOf('later'), undefined);
  ledger.close();
  cpSync(copy, file);
  assert.deepEqual(openDamaged(directory), { damaged: false, files: ROWS + 1, reconciled: true });
});

test('what is no database, or one cut short, is set aside with a sentence and a new one begun', async (t) => {
  const directory = await tempDir(t);
  const file = makeLedger(directory);
  const whole = readFileSync(file);
  const damages: Record<string, () => void> = {
    garbage: () => writeFileSync(file, Buffer.alloc(50_000, 'garbage')),
    'a garbage header': () =>
      writeFileSync(file, Buffer.concat([Buffer.alloc(100, 0xee), whole.subarray(100)])),
    'cut in the middle': () => truncateSync(file, Math.floor(whole.length / 2 / 4_096) * 4_096),
    'cut in a page': () => truncateSync(file, Math.floor(whole.length / 3) + 17),
    'one page left': () => truncateSync(file, 4_096),
    'the schema of something else': () => {
      rmSync(file);
      const db = new DatabaseSync(file);
      db.exec('CREATE TABLE other (x); PRAGMA user_version=1;');
      db.close();
    },
    'a later version': () => {
      const db = new DatabaseSync(file);
      db.exec('PRAGMA user_version=99');
      db.close();
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    writeFileSync(file, whole);
    damage();
    const before = asides(directory).length;
    assert.deepEqual(openDamaged(directory), { damaged: true, files: 1, reconciled: false }, name);
    assert.equal(asides(directory).length, before + 1, `${name}: it is kept`);
  }
});

test('an unfinished upload whose row cannot be read is none', async (t) => {
  const directory = await tempDir(t);
  const file = makeLedger(directory);
  for (const state of ['{"uploadId":"id","par', '{"parts":1}', 'null']) {
    const db = new DatabaseSync(file);
    db.prepare('UPDATE uploads SET state = ?').run(state);
    db.close();
    const ledger = openIn(directory);
    assert.equal(ledger.uploads.get('large', 'key', LARGE), undefined, state);
    ledger.close();
  }
});

test('an empty file is a new memory', async (t) => {
  const directory = await tempDir(t);
  truncateSync(makeLedger(directory), 0);
  assert.deepEqual(openDamaged(directory), { damaged: false, files: 1, reconciled: false });
});

for (const noticed of [true, false])
  test(`random bytes over random places${noticed ? '' : ' that no time of the file tells of'} never stop it: it opens and works, or is set aside`, async (t) => {
    const directory = await tempDir(t);
    const file = makeLedger(directory);
    const whole = readFileSync(file);
    const patch = fc.record({
      at: fc.integer({ min: 0, max: whole.length - 1 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    });
    let seen = 0;
    fc.assert(
      fc.property(fc.array(patch, { minLength: 1, maxLength: 5 }), (patches) => {
        const broken = Buffer.from(whole);
        for (const { at, bytes } of patches) broken.set(bytes.subarray(0, whole.length - at), at);
        for (const name of readdirSync(directory)) if (name !== 'reserve') rmSync(join(directory, name));
        writeFileSync(file, broken);
        if (!noticed) noteClosing(file, TOTALS);
        if (openDamaged(directory).damaged) seen += 1;
      }),
      { numRuns: 150 },
    );
    assert.ok(seen > 10, `${seen} of 150 were seen as damaged`);
  });
