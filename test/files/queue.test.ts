// Fresh files never wait behind an old backlog, and the backlog never stands still.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createQueue, type Lane } from '../../app/files/queue.ts';
import type { FoundFile } from '../../app/files/walk.ts';

function file(path: string, arrivedMs = 0, size = 1): FoundFile {
  return { path, stat: { size, mtimeMs: arrivedMs, ctimeMs: arrivedMs, ino: 1 } };
}

test('of four files taken one is from the backlog while both lanes have some', () => {
  const queue = createQueue();
  for (let index = 0; index < 100; index += 1) {
    queue.offer(file(`f${index}`), 'fresh');
    queue.offer(file(`b${index}`), 'backlog');
  }
  const taken = Array.from({ length: 40 }, () => queue.take()?.path ?? '');
  assert.equal(taken.filter((path) => path.startsWith('b')).length, 10);
  assert.ok(taken.indexOf('f0') < 4 && taken.indexOf('b0') < 4);
});

test('one lane alone is taken in order', () => {
  for (const lane of ['fresh', 'backlog'] as const) {
    const queue = createQueue({ fresh: 5_000, backlog: 5_000 });
    for (let index = 0; index < 5_000; index += 1) queue.offer(file(String(index)), lane);
    for (let index = 0; index < 5_000; index += 1) assert.equal(queue.take()?.path, String(index));
    assert.equal(queue.take(), undefined);
  }
});

test('a file waits or is in flight once, until it is done', () => {
  const queue = createQueue();
  assert.equal(queue.offer(file('a'), 'fresh'), true);
  assert.equal(queue.offer(file('a'), 'backlog'), false);
  const taken = queue.take();
  assert.equal(queue.has('a'), true);
  assert.equal(queue.offer(file('a'), 'fresh'), false);
  assert.ok(taken);
  queue.done(taken);
  assert.equal(queue.offer(file('a'), 'fresh'), true);
});

test('before a stop the newest go first, whatever lane they were in', () => {
  const queue = createQueue();
  queue.offer(file('old', 1), 'fresh');
  queue.offer(file('newest', 9), 'backlog');
  queue.offer(file('newer', 5), 'fresh');
  queue.newestFirst();
  assert.deepEqual([queue.take()?.path, queue.take()?.path, queue.take()?.path], ['newest', 'newer', 'old']);
});

test('under any use: nothing is lost or given twice, room and bytes are right, peek tells the next', () => {
  const act = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ path: fc.nat(60).map(String), lane: fc.constantFrom<Lane>('fresh', 'backlog') }),
    },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.constant('done' as const) },
    { weight: 1, arbitrary: fc.constant('newest' as const) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
      const queue = createQueue({ fresh: 12, backlog: 7 });
      const waiting = new Map<string, FoundFile>();
      const flying: FoundFile[] = [];
      for (const what of acts) {
        if (what === 'take') {
          const next = queue.peek();
          const taken = queue.take();
          assert.equal(taken, next);
          assert.equal(taken === undefined, waiting.size === 0);
          if (taken) {
            assert.equal(waiting.delete(taken.path), true);
            flying.push(taken);
          }
        } else if (what === 'done') {
          const landed = flying.shift();
          if (landed) queue.done(landed);
        } else if (what === 'newest') queue.newestFirst();
        else {
          const busy = waiting.has(what.path) || flying.some(({ path }) => path === what.path);
          const hadRoom = queue.room(what.lane) > 0;
          const offered = file(what.path, Number(what.path), Number(what.path));
          assert.equal(queue.offer(offered, what.lane), !busy && hadRoom);
          if (!busy && hadRoom) waiting.set(what.path, offered);
        }
        assert.equal(queue.waiting, waiting.size);
        assert.equal(
          queue.waitingBytes,
          [...waiting.values()].reduce((sum, { stat }) => sum + stat.size, 0),
        );
      }
    }),
  );
});
