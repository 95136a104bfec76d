// A bell wakes who waits, and a ring that nobody heard waits for the next one who asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createBell } from '../../app/core/bell.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const never = new AbortController().signal;

/** Whether a promise settled by now. */
async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await turn();
  return done;
}

test('a ring wakes everybody who waits', async () => {
  const bell = createBell();
  const waits = [bell.wait(never), bell.wait(never)];
  assert.equal(await settled(Promise.all(waits).then(() => {})), false);
  bell.ring();
  await Promise.all(waits);
});

test('a ring that came before the wait is not lost, and is heard once', async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(never);
  assert.equal(await settled(bell.wait(never)), false);
});

test('a ring while its hearer works is heard at the next wait', async () => {
  const bell = createBell();
  const first = bell.wait(never);
  bell.ring();
  await first;
  bell.ring();
  assert.equal(await settled(bell.wait(never)), true);
});

test('a wait ends when the signal aborts and leaves no listener behind', async () => {
  const bell = createBell();
  const stop = new AbortController();
  const waiting = bell.wait(stop.signal);
  stop.abort();
  await waiting;
  await bell.wait(stop.signal);
});

test('a bounded wait ends after its time, a ring ends it before', async () => {
  const bell = createBell();
  const clock = createFakeClock();
  const waiting = bell.waitAtMost(clock, 1_000, never);
  const ended = waiting.then(() => undefined);
  await clock.advance(999);
  assert.equal(await settled(ended), false);
  await clock.advance(1);
  assert.equal(await waiting, false);
  const rung = bell.waitAtMost(clock, 1_000, never);
  bell.ring();
  assert.equal(await rung, true);
  assert.equal(clock.sleeping, 0);
});
