// The clock the program uses, and the one its tests hold in their hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../app/core/clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';

test('the system clock sleeps and tells the time', async () => {
  const before = systemClock.now();
  await systemClock.sleep(15);
  assert.ok(systemClock.now() - before >= 10);
});

test('a sleep ends at once when its signal aborts, without rejecting', async () => {
  const stop = new AbortController();
  const startedMs = performance.now();
  const asleep = systemClock.sleep(60_000, stop.signal);
  stop.abort();
  await asleep;
  await systemClock.sleep(60_000, AbortSignal.abort());
  assert.ok(performance.now() - startedMs < 5_000);
});

test('on the fake clock sleepers wake in order, each at its own time', async () => {
  const clock = createFakeClock({ startMs: 1_000 });
  const woken: [string, number][] = [];
  const nap = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  const naps = [nap('c', 300), nap('a', 100), nap('b', 200).then(() => nap('b again', 50))];
  await clock.advance(260);
  assert.deepEqual(woken, [
    ['a', 1_100],
    ['b', 1_200],
    ['b again', 1_250],
  ]);
  assert.equal(clock.sleeping, 1);
  await clock.advance(100);
  await Promise.all(naps);
  assert.equal(clock.now(), 1_360);
});

test('on the fake clock an aborted sleep ends and is forgotten', async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const asleep = clock.sleep(1_000, stop.signal);
  stop.abort();
  await asleep;
  assert.equal(clock.sleeping, 0);
});
