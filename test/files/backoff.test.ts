// A bad file costs little, blocks nobody, and is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBackoff } from '../../app/files/backoff.ts';

const T0 = 1_000_000;

test('each failure makes the wait longer, from half a second up to five minutes', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (random) => {
      const backoff = createBackoff(() => random);
      let nowMs = T0;
      for (let attempt = 1; attempt <= 30; attempt += 1) {
        backoff.failed('a', 'denied', 'no', nowMs);
        const ceilingMs = Math.min(300_000, 1_000 * 2 ** (attempt - 1));
        assert.equal(backoff.mayTry('a', nowMs + ceilingMs / 2 - 1), false);
        assert.equal(backoff.mayTry('a', nowMs + ceilingMs), true);
        nowMs += ceilingMs;
      }
    }),
  );
});

test('one failing file holds back no other', () => {
  const backoff = createBackoff();
  backoff.failed('bad', 'unreadable', 'no', T0);
  assert.equal(backoff.mayTry('good', T0), true);
});

test('a success forgets the failures: the next one waits shortly again', () => {
  const backoff = createBackoff(() => 1);
  for (let count = 0; count < 10; count += 1) backoff.failed('a', 'network', 'no', T0);
  backoff.clear('a');
  assert.equal(backoff.mayTry('a', T0), true);
  backoff.failed('a', 'network', 'no', T0);
  assert.equal(backoff.mayTry('a', T0 + 1_000), true);
});

test('failing files are counted by their last reason, with an example of each', () => {
  const backoff = createBackoff();
  backoff.failed('a', 'network', 'reset', T0);
  backoff.failed('b', 'network', 'reset', T0);
  backoff.failed('c', 'unreadable', 'EACCES', T0);
  backoff.failed('b', 'unreadable', 'EACCES', T0);
  assert.deepEqual([...backoff.byReason()].sort(), [
    ['network', 1],
    ['unreadable', 2],
  ]);
  assert.deepEqual(backoff.example('network'), { path: 'a', message: 'reset' });
  assert.equal(backoff.example('throttled'), undefined);
});

test('a file that a whole pass does not meet is forgotten, one that it meets is not', () => {
  const backoff = createBackoff();
  backoff.failed('gone', 'network', 'no', T0);
  backoff.failed('here', 'network', 'no', T0);
  backoff.beginPass();
  backoff.met('here');
  backoff.failed('new', 'network', 'no', T0);
  backoff.endPass();
  assert.deepEqual([backoff.knows('gone'), backoff.knows('here'), backoff.knows('new')], [false, true, true]);
});

test('memory is bounded: beyond the capacity files wait together, so that they cost no storm of requests', () => {
  const backoff = createBackoff(Math.random, 10);
  for (let index = 0; index < 1_000; index += 1) backoff.failed(String(index), 'network', 'no', T0);
  assert.equal(backoff.size, 10);
  assert.equal(backoff.mayTry('999', T0), false);
  assert.equal(backoff.mayTry('999', T0 + 59_999), false);
  assert.equal(backoff.mayTry('999', T0 + 60_000), true);
  backoff.failed('999', 'network', 'no', T0 + 60_000);
  assert.equal(backoff.mayTry('998', T0 + 60_000), false, 'one failure sends the others back');
});
