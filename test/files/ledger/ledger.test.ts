// The ledger remembers exactly what it was told, and forgets nothing on a kill, a full disk or a second opener.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { errnoOf, FerryError } from '../../../app/core/errors.ts';
import { compareKeys } from '../../../app/core/store.ts';
import { isLedgerFull } from '../../../app/files/ledger/database.ts';
import type { LedgerRow, NewRow } from '../../../app/files/ledger/ledger.ts';
import { tempDir } from '../../support/temp.ts';
import { isRoot, runChild } from '../child.ts';
import { allProved, allUnproved, openIn, rowOf } from '../rows.ts';

const PATH = fc.constantFrom(
  'a',
  'a/b',
  'b c',
  '%',
  "it's",
  '\xff\xfe',
  '\xc3\xa4',
  'x\ny',
  'Z',
  '0',
  '\x7f',
);
const KEY_END = fc.constantFrom('', '~', '🚢', '\uffff', 'ä', '/z');
const TIME = fc.oneof(fc.integer({ min: -1e12, max: 4e12 }), fc.double({ min: 0, max: 2e12, noNaN: true }));
const STAT = fc.record(
  {
    size: fc.oneof(fc.nat(100), fc.constantFrom(0, 2 ** 31, 2 ** 45)),
    mtimeMs: TIME,
    ctimeMs: TIME,
    // Some file systems (overlay, network ones) give inode numbers of 64 bits.
    ino: fc.constantFrom(1, 2 ** 31, 2 ** 53 - 1, 2 ** 55, 2 ** 62, 2 ** 64),
  },
  { noNullPrototype: true },
);
const ACT = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('remember' as const),
      path: PATH,
      end: KEY_END,
      stat: STAT,
      proved: fc.boolean(),
      proof: fc.constantFrom('put' as const, 'md5' as const, 'checksum' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('prove' as const), path: PATH }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('forget' as const), path: PATH }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('commit' as const) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('ask for all' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('warm up' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('reopen' as const) }) },
);

test('under any use with commits and reopenings it holds what a plain map would', async (t) => {
  const parent = await tempDir(t);
  let runs = 0;
  fc.assert(
    fc.property(fc.array(ACT, { maxLength: 40 }), (acts) => {
      runs += 1;
      const directory = join(parent, String(runs));
      mkdirSync(directory);
      // Rows of these tests need no room for emergencies.
      writeFileSync(join(directory, 'reserve'), '');
      let ledger = openIn(directory);
      const model = new Map<string, LedgerRow>();
      const everKnown: Pick<LedgerRow, 'path' | 'stat'>[] = [];
      const readBefore: LedgerRow[] = [];
      const remember = (row: NewRow): void => {
        everKnown.push(row);
        ledger.remember(row, ledger.get(row.path));
        const { path, key, stat, sha256, etag, proof, proved, thisRun = true } = row;
        const arrivedMs = Math.max(stat.mtimeMs, stat.ctimeMs);
        const provedAtMs = ledger.get(path)?.provedAtMs ?? 0;
        assert.equal(provedAtMs > 0, proved);
        model.set(path, { path, key, stat, sha256, etag, proof, proved, provedAtMs, thisRun, arrivedMs });
      };
      for (const act of acts) {
        if (act.what === 'remember') {
          const { path, end, stat, proved, proof } = act;
          remember(rowOf(path, { key: `k${path}${end}`, stat, proved, proof }));
        } else if (act.what === 'prove') {
          const row = ledger.get(act.path);
          if (row) remember({ ...row, proved: true });
        } else if (act.what === 'forget') {
          const row = ledger.get(act.path);
          if (row) ledger.forget(row);
          model.delete(act.path);
        } else if (act.what === 'commit') ledger.commit();
        else if (act.what === 'warm up') while (ledger.warmUp());
        else if (act.what === 'reopen') {
          ledger.close();
          ledger = openIn(directory);
          for (const [path, row] of model) model.set(path, { ...row, thisRun: false });
        }
        const rows = [...model.values()];
        for (const { path } of rows) assert.deepEqual(ledger.get(path), model.get(path));
        for (const { path, stat, proved } of rows) {
          assert.equal(ledger.knows(path, stat), proved ? 'proved' : 'sent');
          assert.equal(ledger.knows(path, { ...stat, size: stat.size + 1 }), undefined);
        }
        for (const { path, stat } of everKnown) {
          const isNow = isDeepStrictEqual(model.get(path)?.stat, stat);
          assert.equal(ledger.knows(path, stat) !== undefined, isNow, 'a former state is not known');
        }
        for (const row of readBefore) {
          const now = model.get(row.path);
          assert.equal(ledger.stands(row), now !== undefined && isDeepStrictEqual(saysOf(now), saysOf(row)));
        }
        const knows = ledger.knowsInPathOrder();
        for (const { path, stat, proved } of rows.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
          assert.equal(knows(path, stat), proved ? 'proved' : 'sent');
          assert.equal(knows(path, { ...stat, size: stat.size + 1 }), undefined);
          assert.equal(knows(`${path} and more`, stat), undefined);
        }
        assert.equal(ledger.get('never there'), undefined);
        const unproved = rows.filter((row) => !row.proved);
        const size = (some: readonly LedgerRow[]): number =>
          some.reduce((sum, { stat }) => sum + stat.size, 0);
        assert.deepEqual(
          { ...ledger.totals },
          {
            files: rows.length,
            bytes: size(rows),
            unprovedFiles: unproved.length,
            unprovedBytes: size(unproved),
          },
        );
        // Asking for all writes what waits: what is read before that must be right too.
        if (act.what !== 'ask for all') continue;
        assert.deepEqual(
          allUnproved(ledger, 3),
          unproved.sort((a, b) => compareKeys(a.key, b.key)),
        );
        const inOrder = rows
          .filter((row) => row.proved)
          .sort((a, b) => a.arrivedMs - b.arrivedMs || (a.path < b.path ? -1 : 1));
        assert.deepEqual(allProved(ledger, Infinity, 2), inOrder);
        assert.deepEqual(
          allProved(ledger, 1e12),
          inOrder.filter(({ arrivedMs }) => arrivedMs <= 1e12),
        );
        readBefore.push(...ledger.unproved('', 100), ...ledger.proved(Infinity, undefined, 100));
      }
      ledger.close();
      rmSync(directory, { recursive: true });
    }),
    { numRuns: 150 },
  );
});

test('a row that was read stands until it is forgotten or another takes its place', async (t) => {
  const ledger = openIn(await tempDir(t));
  for (const path of ['forgotten', 'left', 'replaced', 'the same anew'])
    ledger.remember(rowOf(path, { proved: true }), undefined);
  const rows = ledger.proved(Infinity, undefined, 10);
  const standing = (): string[] => rows.filter((row) => ledger.stands(row)).map(({ path }) => path);
  assert.equal(standing().length, 4);
  for (const row of rows) {
    if (row.path === 'forgotten') ledger.forget(row);
    else if (row.path === 'replaced') ledger.remember({ ...row, etag: 'f'.repeat(32) }, row);
    else if (row.path === 'the same anew') ledger.remember(row, row);
  }
  assert.deepEqual(standing(), ['left', 'the same anew']);
  ledger.commit();
  assert.deepEqual(standing(), ['left', 'the same anew']);
  ledger.close();
});

/** What a row says of file and object; when it was proved and by which run is beside it. */
function saysOf({ key, stat, sha256, etag, proof, proved }: LedgerRow): unknown {
  return { key, stat, sha256, etag, proof, proved };
}

test('with more unproved rows than memory holds, all are given in key order', async (t) => {
  const ledger = openIn(await tempDir(t));
  const count = 9_500;
  for (let index = 0; index < count; index += 1) {
    ledger.remember(rowOf(String((index * 7_919) % count).padStart(5, '0')), undefined);
  }
  const keys = allUnproved(ledger).map(({ key }) => key);
  assert.equal(keys.length, count);
  assert.ok(keys.every((key, index) => index === 0 || key > (keys[index - 1] ?? '')));
  for (const row of allUnproved(ledger).slice(0, 5_000)) ledger.remember({ ...row, proved: true }, row);
  assert.deepEqual([allUnproved(ledger).length, allProved(ledger).length], [4_500, 5_000]);
  ledger.close();
});

test('a pass that begins with more unproved rows than memory holds and ends with fewer meets every row', async (t) => {
  const ledger = openIn(await tempDir(t));
  const count = 12_000;
  // The last ones remembered come first by key: proving them makes the rest fit again.
  for (let index = count - 1; index >= 0; index -= 1)
    ledger.remember(rowOf(String(index).padStart(5, '0')), undefined);
  assert.equal(ledger.unproved('', 10).length, 10);
  const met: string[] = [];
  for (let after = ''; ; ) {
    const rows = ledger.unproved(after, 4_000);
    if (rows.length === 0) break;
    for (const row of rows) ledger.remember({ ...row, proved: true }, row);
    met.push(...rows.map(({ key }) => key));
    after = met.at(-1) ?? '';
  }
  assert.deepEqual([met.length, ledger.totals.unprovedFiles], [count, 0]);
  ledger.close();
});

test('a kill loses nothing that was committed', async (t) => {
  const directory = await tempDir(t);
  const code = `
    const { openLedger } = await import(app('files/ledger/ledger.ts'));
    const ledger = openLedger({ directory: args[0], source: '/source', store: 'array' });
    const stat = { size: 1, mtimeMs: 1, ctimeMs: 1, ino: 1 };
    const row = (path) => ({ path, key: path, stat, sha256: 'a', etag: 'b', proof: 'put', proved: false });
    for (let index = 0; index < 500; index += 1) ledger.remember(row('committed ' + index), undefined);
    ledger.commit();
    ledger.remember(row('not committed'), undefined);
    process.kill(process.pid, 'SIGKILL');
  `;
  assert.equal(runChild(code, [directory]).signal, 'SIGKILL');
  const ledger = openIn(directory);
  assert.equal(ledger.totals.files, 500);
  assert.equal(ledger.get('not committed'), undefined);
  ledger.close();
});

test('a second opener is refused with a sentence, in this process and in another', async (t) => {
  const directory = await tempDir(t);
  const ledger = openIn(directory);
  ledger.remember(rowOf('a'), undefined);
  ledger.commit();
  const refused = (error: unknown): boolean =>
    error instanceof FerryError && error.exit === 'config' && /Another Ferry/.test(error.message);
  assert.throws(() => openIn(directory), refused);
  const code = `
    const { openLedger } = await import(app('files/ledger/ledger.ts'));
    try { openLedger({ directory: args[0], source: '/source', store: 'array' }); }
    catch (error) { console.log(error.exit, error.message); }
  `;
  assert.match(runChild(code, [directory]).stdout, /^config Another Ferry already moves \/source to array/);
  assert.ok(ledger.get('a'));
  ledger.close();
  openIn(directory).close();
});

test('a state directory that cannot be used is refused with what to do', async (t) => {
  const directory = join(await tempDir(t), 'file');
  writeFileSync(directory, '');
  assert.throws(
    () => openIn(directory),
    (error) => error instanceof FerryError && /--state/.test(error.remedy),
  );
});

test('what was found out about the store is kept', async (t) => {
  const directory = await tempDir(t);
  let ledger = openIn(directory);
  assert.deepEqual([ledger.reconciled, ledger.etagIsMd5], [false, true]);
  ledger.reconciled = true;
  ledger.etagIsMd5 = false;
  ledger.close();
  ledger = openIn(directory);
  assert.deepEqual([ledger.reconciled, ledger.etagIsMd5], [true, false]);
  ledger.close();
});

test('an unfinished upload is found for the same state of the file under the same key only', async (t) => {
  const directory = await tempDir(t);
  const { stat } = rowOf('a');
  const state = { uploadId: 'u', parts: [{ number: 1, etag: 'e', sha256: 's', sizeBytes: 8 }] };
  let ledger = openIn(directory);
  ledger.uploads.set('a', 'key', stat, state);
  ledger.close();
  ledger = openIn(directory);
  assert.deepEqual(ledger.uploads.get('a', 'key', stat), state);
  assert.equal(ledger.uploads.get('a', 'other key', stat), undefined);
  assert.equal(ledger.uploads.get('a', 'key', { ...stat, mtimeMs: 2 }), undefined);
  ledger.uploads.delete('a');
  assert.equal(ledger.uploads.get('a', 'key', stat), undefined);
  ledger.close();
});

test('candidates come in key order, whole, page by page', () => {
  const ledger = openIn(undefined);
  const candidates = ['b', '🚢', '\uffff', 'a', 'a/b', 'a'].map((key, index) => ({
    key,
    path: `p${index}`,
    stat: { size: index, mtimeMs: 0.25, ctimeMs: 1, ino: 2 ** 55 },
  }));
  ledger.candidates.add(candidates);
  const expected = [...candidates].sort((a, b) => compareKeys(a.key, b.key) || (a.path < b.path ? -1 : 1));
  const all: typeof candidates = [];
  for (let last = { key: '', path: '' }; ; ) {
    const page = ledger.candidates.after(last.key, last.path, 2);
    const end = page.at(-1);
    if (!end) break;
    all.push(...page);
    last = end;
  }
  assert.deepEqual(all, expected);
  ledger.candidates.clear();
  assert.deepEqual(ledger.candidates.after('', '', 9), []);
  ledger.close();
});

/** Writes until the volume has no room, and tells which files did so. */
function fill(directory: string): string {
  const filler = join(directory, `filler ${readdirSync(directory).length}`);
  for (const step of [65_536, 512]) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(step), { flag: 'a' });
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error;
    }
  }
  return filler;
}

test('on a full disk the reserve is used; then commits fail, nothing is forgotten, and room heals it', async (t) => {
  const directory = await tempDir(t);
  const mounted =
    isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', directory]).status === 0;
  if (!mounted) return t.skip('needs root to mount a small tmpfs');
  try {
    let ledger = openIn(directory);
    const written: string[] = [];
    const remember = (count: number): void => {
      for (let index = 0; index < count; index += 1) {
        const path = `${written.length}-${'x'.repeat(100)}`;
        ledger.remember(rowOf(path), undefined);
        written.push(path);
      }
    };
    const isThere = (): void => {
      for (const path of written) assert.equal(ledger.get(path)?.path, path);
      assert.equal(ledger.totals.files, written.length);
    };
    remember(100);
    ledger.commit();
    const fillers = [fill(directory)];
    remember(500);
    ledger.commit();
    assert.equal(existsSync(join(directory, 'reserve')), false, 'the reserve was given up');
    isThere();
    fillers.push(fill(directory));
    remember(2_000);
    assert.throws(() => ledger.commit(), isLedgerFull);
    assert.throws(() => ledger.commit(), isLedgerFull);
    assert.equal(ledger.uncommitted, 2_000);
    isThere();
    for (const filler of fillers) rmSync(filler, { force: true });
    ledger.commit();
    assert.equal(ledger.uncommitted, 0);
    assert.equal(existsSync(join(directory, 'reserve')), true, 'the reserve is taken back');
    ledger.close();
    ledger = openIn(directory);
    isThere();
    ledger.close();
  } finally {
    spawnSync('umount', ['-l', directory]);
  }
});

test('asked in path order it answers as of now, whatever was remembered and forgotten since the pass began', async (t) => {
  const directory = await tempDir(t);
  const first = openIn(directory);
  const paths = Array.from({ length: 2_500 }, (_, index) => `f${String(index).padStart(4, '0')}`);
  const stat = { size: 1, mtimeMs: 2, ctimeMs: 3, ino: 4 };
  for (const path of paths) first.remember(rowOf(path, { key: path, stat, proved: true }), undefined);
  first.close();
  const ledger = openIn(directory);
  const knows = ledger.knowsInPathOrder();
  for (const path of paths.slice(0, 10)) assert.equal(knows(path, stat), 'proved');
  for (const [index, path] of paths.entries()) {
    const row = ledger.get(path);
    if (index % 5 === 0 && row) ledger.forget(row);
    if (index % 5 === 1 && row) ledger.remember({ ...row, stat: { ...stat, size: 9 } }, row);
  }
  ledger.commit();
  ledger.remember(rowOf('f0012-new', { key: 'new', stat, proved: false }), undefined);
  assert.equal(knows('f0012-new', stat), 'sent');
  for (const [index, path] of paths.entries()) {
    if (index < 20) continue;
    assert.equal(knows(path, stat), index % 5 <= 1 ? undefined : 'proved', path);
    if (index % 5 === 1) assert.equal(knows(path, { ...stat, size: 9 }), 'proved', path);
  }
  // Behind the place it has reached, too.
  assert.equal(knows('f0003', stat), 'proved');
  ledger.close();
});

test('asked in path order a forgotten row is not known, though it was read before the commit that dropped it', async (t) => {
  const directory = await tempDir(t);
  const first = openIn(directory);
  for (const path of ['a', 'b', 'c', 'd']) first.remember(rowOf(path, { proved: true }), undefined);
  first.close();
  const ledger = openIn(directory);
  const { stat } = rowOf('a');
  const knows = ledger.knowsInPathOrder();
  assert.equal(knows('a', stat), 'proved');
  const row = ledger.get('d');
  assert.ok(row);
  ledger.forget(row);
  assert.equal(knows('b', stat), 'proved');
  ledger.commit();
  assert.equal(knows('d', stat), undefined);
  ledger.close();
});
