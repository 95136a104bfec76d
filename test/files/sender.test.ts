// The pump: how many uploads are on their way at once, and how it goes on after those that ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../app/core/log.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createCounters } from '../../app/files/counters.ts';
import { compileKey } from '../../app/files/key.ts';
import { createQueue } from '../../app/files/queue.ts';
import { createSender } from '../../app/files/sender.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { tempDir, until } from '../support/temp.ts';
import { createArrayStore, portsFor } from './array-store.ts';
import { openIn, writeOld } from './rows.ts';

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
  const queue = createQueue();
  for (let number = 0; number < 48; number += 1)
    queue.offer(writeOld(root, `${number}`, `content ${number}`), 'backlog');
  let times = 0;
  const sender = createSender({
    ...portsFor(store),
    root,
    queue,
    keyOf: compileKey('{path}'),
    ledger: openIn(undefined),
    clock: createFakeClock({ runsAlong: true }),
    log: createLog({ level: 'error', stream: process.stdout }),
    backoff: createBackoff(),
    counters: createCounters(),
    concurrency: 16,
    onChanged: () => {},
    onMoved: () => {},
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
