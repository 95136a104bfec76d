// The pump: how many uploads are on their way at once, how it goes on after those that ended, and when rows are
// written.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLog } from '../../app/core/log.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createCounters } from '../../app/files/counters.ts';
import { compileKey } from '../../app/files/key.ts';
import { type Ledger, openLedger } from '../../app/files/ledger/ledger.ts';
import { createQueue } from '../../app/files/queue.ts';
import { createSender } from '../../app/files/sender.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir, until } from '../support/temp.ts';
import { type ArrayStore, createArrayStore, portsFor } from './array-store.ts';
import { openIn, writeOld } from './rows.ts';

const CONCURRENCY = 16;

/** What a sender needs beside its ledger and its clock: so many files wait. */
function portsOver(store: ArrayStore, root: string, files: number) {
  const queue = createQueue();
  for (let number = 0; number < files; number += 1)
    queue.offer(writeOld(root, `${number}`, `content ${number}`), 'backlog');
  return {
    ...portsFor(store),
    root,
    queue,
    keyOf: compileKey('{path}'),
    log: createLog({ level: 'error', stream: process.stdout }),
    backoff: createBackoff(),
    counters: createCounters(),
    concurrency: CONCURRENCY,
    onChanged: () => {},
    onMoved: () => {},
    onProgress: () => {},
  };
}

test('as many uploads as allowed are on their way, and those that end together are followed together', async (t) => {
  const root = await tempDir(t);
  const store = createArrayStore();
  const { put } = store;
  let gate = Promise.withResolvers<void>();
  let started = 0;
  store.put = async (key, body, digest) => {
    started += 1;
    await gate.promise;
    return put(key, body, digest);
  };
  const answerAll = (): void => {
    const answered = gate;
    gate = Promise.withResolvers();
    answered.resolve();
  };
  let times = 0;
  const sender = createSender({
    ...portsOver(store, root, 48),
    ledger: openIn(undefined),
    clock: createFakeClock({ runsAlong: true }),
    onProgress: () => {
      times += 1;
    },
  });
  sender.pump();
  for (const [index, onTheirWay] of [16, 32, 48].entries()) {
    await until(() => started === onTheirWay, `${onTheirWay} uploads have begun`);
    assert.equal(times, index, 'sixteen answers are one reason to go on');
    answerAll();
  }
  await until(() => sender.idle && times === 3, 'all are done');
  assert.equal(store.objects.size, 48);
});

/** A ledger on disk that says how many rows each of its commits took, and a sender of so many files into it. */
async function committing(t: TestContext, files: number) {
  const root = await tempDir(t);
  const directory = await tempDir(t);
  const commits: number[] = [];
  const ledger: Ledger = openLedger({
    ...{ directory, source: '/source', store: 'array' },
    beforeCommit: () => commits.push(ledger.uncommitted),
  });
  const clock = createFakeClock();
  const sender = createSender({ ...portsOver(createArrayStore(), root, files), ledger, clock });
  sender.pump();
  return { sender, ledger, clock, commits };
}

test('rows are written 128 and more at a time, not one by one, and the last of them 200 ms later', async (t) => {
  const { sender, ledger, clock, commits } = await committing(t, 300);
  await until(() => sender.idle && clock.sleeping === 1, 'all are sent and what is left waits');
  assert.equal(commits.length, 2, `time stands still, and there were commits of ${commits}`);
  // What ended together with the 128th goes along.
  for (const rows of commits) assert.ok(rows >= 128 && rows < 128 + CONCURRENCY, String(commits));
  const left = 300 - (commits[0] ?? 0) - (commits[1] ?? 0);
  assert.equal(ledger.uncommitted, left);
  await clock.advance(199);
  assert.equal(commits.length, 2);
  await clock.advance(1);
  assert.equal(ledger.uncommitted, 0);
  assert.deepEqual(commits.slice(2), [left]);
  ledger.close();
});

test('few files are on disk 200 ms after the first, in one commit, though nothing follows them', async (t) => {
  const { sender, ledger, clock, commits } = await committing(t, 5);
  await until(() => sender.idle && ledger.uncommitted === 5 && clock.sleeping === 1, 'they are sent');
  assert.deepEqual(commits, []);
  await clock.advance(200);
  assert.deepEqual(commits, [5]);
  assert.equal(clock.sleeping, 0, 'nothing is planned where nothing waits');
  ledger.close();
});
