// What one pass hands on, no other pass hands on again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { createLog } from '../../app/core/log.ts';
import { createBackoff } from '../../app/files/backoff.ts';
import { createCounters } from '../../app/files/counters.ts';
import { enqueue, type FinderPorts, standingOf } from '../../app/files/finder.ts';
import { createQueue } from '../../app/files/queue.ts';
import { lookAtDue } from '../../app/files/second-look.ts';
import { createSettling } from '../../app/files/settle.ts';
import { tempDir } from '../support/temp.ts';
import { openIn, writeOld } from './rows.ts';

test('a young file that another pass finds settled before its second look is handed on once', async (t) => {
  const root = await tempDir(t);
  const file = writeOld(root, 'a', 'content');
  const ledger = openIn(undefined);
  t.after(() => ledger.close());
  const ports: FinderPorts = {
    root,
    clock: systemClock,
    log: createLog({ level: 'error', stream: process.stdout }),
    ledger,
    queue: createQueue(),
    settling: createSettling(5_000),
    backoff: createBackoff(),
    counters: createCounters(),
    settleMs: 5_000,
  };
  assert.equal(standingOf(ports, file, file.stat.ctimeMs + 4_999).standing, 'young');
  assert.equal(standingOf(ports, file, file.stat.ctimeMs + 5_000).standing, 'ready');
  assert.ok(enqueue(ports, file, 'backlog'));
  const taken = ports.queue.take();
  assert.equal(taken?.path, 'a');
  ports.queue.done(file);
  lookAtDue({ ...ports, clock: { ...systemClock, now: () => file.stat.ctimeMs + 10_000 } });
  assert.equal(ports.queue.waiting, 0);
  assert.equal(ports.counters.seen.files, 1);
});
