// Freeing rests on this run's own hashing and listing, goes oldest first, and never further than asked.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, chownSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLog } from '../../app/core/log.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createCounters } from '../../app/files/counters.ts';
import type { Ledger } from '../../app/files/ledger/ledger.ts';
import { proveOnce } from '../../app/files/prove.ts';
import { NO_RECEIPTS } from '../../app/files/receipts/receipts.ts';
import { freeProved, type RetainPorts } from '../../app/files/retain.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp.ts';
import { type ArrayStore, createArrayStore, portsFor } from './array-store.ts';
import { isRoot, NOBODY, openToAll, runChild } from './child.ts';
import { found, moved, openIn, rowFor, writeOld } from './rows.ts';

function setUp(root: string, ledger: Ledger): RetainPorts {
  return {
    root,
    clock: createFakeClock({ runsAlong: true }),
    log: silentLog,
    ledger,
    counters: createCounters(),
    refused: createBackoff(() => 1),
    receipts: NO_RECEIPTS,
    signal: new AbortController().signal,
  };
}

const all = (ports: RetainPorts) => freeProved(ports, Infinity, false, () => false);

async function prove(ledger: Ledger, store: ArrayStore): Promise<void> {
  await proveOnce({
    ...portsFor(store),
    ledger,
    onProved: () => {},
    onMissing: () => {},
    onDoubtful: () => {},
  });
}

test('files of this run are freed and forgotten, and counted', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  for (const path of ['a', 'b/c', 'b/d']) moved(ledger, store, root, path);
  const ports = setUp(root, ledger);
  const result = await all(ports);
  assert.deepEqual(result, { freedBytes: 3 * 4_096, freedFiles: 3, toProve: 0 });
  assert.equal(existsSync(join(root, 'b/c')), false);
  assert.deepEqual(
    [ledger.totals.files, ports.counters.freed.files, ports.counters.freedEarly.files],
    [0, 3, 0],
  );
});

test('what was sent from the place of a file that is being hashed again stays remembered', async (t) => {
  const root = await tempDir(t);
  const state = await tempDir(t);
  const large = Buffer.alloc(20 * 2 ** 20, 'x');
  const earlier = openIn(state);
  earlier.remember(rowFor(writeOld(root, 'large', large), 'large', large, true), undefined);
  earlier.close();
  const ledger = openIn(state);
  const freeing = all(setUp(root, ledger));
  await turn();
  // The writer puts a small file in its place, which is sent before the hashing of the large one ends.
  writeFileSync(join(root, 'new'), 'small');
  renameSync(join(root, 'new'), join(root, 'large'));
  const row = rowFor(found(root, 'large'), 'large-2', Buffer.from('small'), false);
  ledger.remember(row, ledger.get('large'));
  assert.deepEqual(await freeing, { freedBytes: 0, freedFiles: 0, toProve: 0 });
  assert.equal(ledger.get('large')?.key, 'large-2');
  assert.deepEqual({ ...ledger.totals }, { files: 1, bytes: 5, unprovedFiles: 1, unprovedBytes: 5 });
  ledger.close();
});

test('files go oldest arrival first, only as many as needed, and none that arrived later than asked', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  const paths = ['c', 'a', 'd', 'b'];
  for (const [index, path] of paths.entries()) {
    const file = moved(ledger, store, root, path);
    const row = ledger.get(path);
    assert.ok(row);
    // Arrival counts from ctime too, which a test cannot set on a real file.
    const arrived = { ...file.stat, mtimeMs: 4e12 + index * 1_000 };
    ledger.remember({ ...row, stat: arrived }, row);
  }
  const order: string[] = [];
  const ports = setUp(root, watching(ledger, order));
  await freeProved(ports, 4e12 + 2_500, true, () => order.length >= 2);
  assert.deepEqual(order, ['c', 'a']);
  await freeProved(ports, 4e12 + 2_500, true, () => false);
  assert.deepEqual(order, ['c', 'a', 'd'], 'b arrived later than asked');
});

/** The ledger, noting which rows it is told to forget. */
function watching(ledger: Ledger, order: string[]): Ledger {
  const watched: Ledger = Object.create(ledger);
  watched.forget = (row) => {
    order.push(row.path);
    ledger.forget(row);
  };
  return watched;
}

test('early freeing stops as soon as enough is freed, and is counted as early', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  for (let index = 0; index < 20; index += 1) moved(ledger, store, root, `file ${index}`);
  const ports = setUp(root, ledger);
  const result = await freeProved(ports, Infinity, true, (bytes) => bytes >= 5 * 4_096);
  assert.deepEqual([result.freedFiles, result.freedBytes], [5, 5 * 4_096]);
  assert.equal(ports.counters.freedEarly.files, 5);
  assert.equal(ledger.totals.files, 15);
  assert.equal((await freeProved(ports, Infinity, true, () => true)).freedFiles, 0);
});

test('what is not proved is never freed', async (t) => {
  const root = await tempDir(t);
  const ledger = openIn(undefined);
  const file = writeOld(root, 'a', 'content');
  ledger.remember(rowFor(file, 'a', Buffer.from('content'), false), undefined);
  assert.equal((await freeProved(setUp(root, ledger), Infinity, true, () => false)).freedFiles, 0);
  assert.equal(existsSync(join(root, 'a')), true);
});

test('a file changed since it was proved stays, and its row goes', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  for (const path of ['appended', 'replaced', 'gone']) moved(ledger, store, root, path);
  appendFileSync(join(root, 'appended'), '!');
  writeOld(root, 'new', 'content of replaced');
  renameSync(join(root, 'new'), join(root, 'replaced'));
  rmSync(join(root, 'gone'));
  const result = await all(setUp(root, ledger));
  assert.equal(result.freedFiles, 0);
  assert.equal(existsSync(join(root, 'appended')) && existsSync(join(root, 'replaced')), true);
  assert.equal(ledger.totals.files, 0);
});

/** A ledger with two proved files, closed and opened again: its rows are an earlier run's. */
async function afterRestart(
  t: Parameters<typeof tempDir>[0],
  change: (ledger: Ledger, store: ArrayStore, root: string) => void,
) {
  const [root, state] = [await tempDir(t), await tempDir(t)];
  const store = createArrayStore();
  const earlier = openIn(state);
  moved(earlier, store, root, 'a');
  moved(earlier, store, root, 'b');
  change(earlier, store, root);
  earlier.close();
  const ledger = openIn(state);
  return { root, store, ledger, ports: setUp(root, ledger) };
}

test('rows of an earlier run are hashed again and freed only after a new listing', async (t) => {
  const { root, store, ledger, ports } = await afterRestart(t, () => {});
  assert.deepEqual(await all(ports), { freedBytes: 0, freedFiles: 0, toProve: 2 });
  assert.deepEqual(await all(ports), { freedBytes: 0, freedFiles: 0, toProve: 0 });
  assert.equal(existsSync(join(root, 'a')), true);
  await prove(ledger, store);
  assert.equal((await all(ports)).freedFiles, 2);
  assert.equal(existsSync(join(root, 'a')), false);
  ledger.close();
});

const WRONG: Record<string, (ledger: Ledger, store: ArrayStore, root: string) => void> = {
  'another ETag': (ledger) => {
    const row = ledger.get('a');
    if (row) ledger.remember({ ...row, etag: 'f'.repeat(32) }, row);
  },
  'another hash': (ledger) => {
    const row = ledger.get('a');
    if (row) ledger.remember({ ...row, sha256: 'f'.repeat(64) }, row);
  },
  "another file's key": (ledger) => {
    const row = ledger.get('a');
    if (row) ledger.remember({ ...row, key: 'b' }, row);
  },
  "another file's key and ETag": (ledger) => {
    const [row, other] = [ledger.get('a'), ledger.get('b')];
    if (row && other) ledger.remember({ ...row, key: 'b', etag: other.etag }, row);
  },
  "another file's key and ETag, not yet proved": (ledger) => {
    const [row, other] = [ledger.get('a'), ledger.get('b')];
    if (row && other) ledger.remember({ ...row, key: 'b', etag: other.etag, proved: false }, row);
  },
  "another file's key, ETag and hash": (ledger) => {
    const [row, other] = [ledger.get('a'), ledger.get('b')];
    if (row && other) ledger.remember({ ...other, path: 'a', stat: row.stat }, row);
  },
  'other content behind the same state': (ledger, _store, root) => {
    writeOld(root, 'a', 'CONTENT of a');
    const row = ledger.get('a');
    if (row) ledger.remember({ ...row, stat: found(root, 'a').stat }, row);
  },
  'an object that is gone': (_ledger, store) => {
    store.objects.delete('a');
  },
  'an object with other content': (_ledger, store) => {
    store.place('a', Buffer.from('CONTENT of a'));
  },
};

for (const [what, change] of Object.entries(WRONG)) {
  test(`a memory that is wrong costs no file: ${what}`, async (t) => {
    const { root, store, ledger, ports } = await afterRestart(t, change);
    for (let round = 0; round < 4; round += 1) {
      await all(ports);
      await prove(ledger, store);
    }
    await all(ports);
    assert.equal(existsSync(join(root, 'a')), true, 'a was freed');
    assert.equal(existsSync(join(root, 'b')), false, 'b is freed all the same');
    ledger.close();
  });
}

test('files whose directory refuses back off one by one and hold back no other', async (t) => {
  const root = await tempDir(t);
  const code = `
    const at = (path) => import(app(path));
    const { openLedger } = await at('files/ledger/ledger.ts');
    const { createBackoff } = await at('files/backoff.ts');
    const { createCounters } = await at('files/counters.ts');
    const { silentLog } = await at('core/log.ts');
    const { freeProved } = await at('files/retain.ts');
    const { lstatSync } = await import('node:fs');
    const { hash } = await import('node:crypto');
    const root = args[0];
    const ledger = openLedger({ directory: undefined, source: root, store: 's' });
    for (const path of ['theirs/1', 'theirs/2', 'ours/1']) {
      const { size, mtimeMs, ctimeMs, ino } = lstatSync(root + '/' + path);
      const stat = { size, mtimeMs, ctimeMs, ino };
      ledger.remember({ path, key: path, stat, sha256: hash('sha256', 'x', 'hex'), etag: 'b', proof: 'put', proved: true }, undefined);
    }
    let nowMs = 1e12;
    const clock = { now: () => nowMs, sleep: async () => {} };
    const signal = new AbortController().signal;
    const ports = { root, clock, log: silentLog, ledger, counters: createCounters(), receipts: { freed() {} }, refused: createBackoff(() => 1), signal };
    const free = () => freeProved(ports, Infinity, false, () => false);
    const failures = () => ports.counters.failures.get('cannot-delete');
    const first = (await free()).freedFiles;
    const told = failures();
    await free();
    const again = failures();
    nowMs += 1_000;
    await free();
    const later = failures();
    const { message } = ports.refused.example('cannot-delete');
    console.log(JSON.stringify({ first, told, again, later, files: ledger.totals.files, message }));
  `;
  openToAll(root);
  for (const path of ['theirs/1', 'theirs/2', 'ours/1']) writeOld(root, path, 'x');
  chmodSync(join(root, 'theirs'), 0o555);
  if (isRoot) chownSync(join(root, 'ours'), NOBODY, NOBODY);
  const { stdout, stderr } = runChild(code, [root], { plain: true });
  chmodSync(join(root, 'theirs'), 0o755);
  assert.ok(stdout !== '', stderr.slice(0, 500));
  const { message, ...numbers } = JSON.parse(stdout);
  assert.deepEqual(numbers, { first: 1, told: 2, again: 2, later: 4, files: 2 });
  assert.match(message, /^theirs\/1 cannot be deleted: its directory is not writable/);
});

test('a file that stands where a directory was does not stop the others', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  for (const path of ['d/a', 'z']) moved(ledger, store, root, path);
  rmSync(join(root, 'd'), { recursive: true });
  writeFileSync(join(root, 'd'), '');
  assert.equal((await all(setUp(root, ledger))).freedFiles, 1);
  assert.equal(ledger.totals.files, 0);
});

test('a batch that is slow to delete lets everything else have its turn', async (t) => {
  const root = await tempDir(t);
  const [ledger, store] = [openIn(undefined), createArrayStore()];
  // Each is read again in the moment of its delete: several milliseconds on any machine.
  const body = Buffer.alloc(4 * 2 ** 20, 'x');
  for (let index = 0; index < 40; index += 1) {
    const path = `slow-${index}`;
    const file = writeOld(root, path, body);
    store.place(path, body);
    ledger.remember(rowFor(file, path, body, true), undefined);
  }
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const { freedFiles } = await all(setUp(root, ledger));
  over = true;
  assert.equal(freedFiles, 40);
  assert.ok(turns >= 8, `${turns} turns`);
});
