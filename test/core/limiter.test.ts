// Pressure follows the store: half when it pushes back, more while it keeps up, one careful probe while it is down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallOutcome, createLimiter, type Limiter } from '../../app/core/limiter.ts';

const T0 = 1_000_000;

function call(limiter: Limiter, outcome: CallOutcome, nowMs: number): void {
  limiter.started();
  limiter.ended(outcome, nowMs);
}

test('an overload halves the limit once a second, not once per call in flight', () => {
  const limiter = createLimiter(16);
  for (let count = 0; count < 6; count += 1) limiter.started();
  for (let count = 0; count < 3; count += 1) limiter.ended('overloaded', T0 + count);
  assert.equal(limiter.limit, 8);
  limiter.ended('overloaded', T0 + 1_500);
  assert.equal(limiter.limit, 4);
});

test('the limit grows by about one for each round of successes, up to the maximum', () => {
  const limiter = createLimiter(8);
  call(limiter, 'overloaded', T0);
  call(limiter, 'overloaded', T0 + 2_000);
  assert.equal(limiter.limit, 2);
  call(limiter, 'ok', T0);
  call(limiter, 'ok', T0);
  assert.ok(limiter.limit > 2.8 && limiter.limit <= 3);
  for (let count = 0; count < 200; count += 1) call(limiter, 'ok', T0);
  assert.equal(limiter.limit, 8);
});

test('while nothing succeeds there is one probe at a time, not before its wait, and each wait is longer', () => {
  const limiter = createLimiter(16, () => 0.5);
  for (let count = 0; count < 8; count += 1) call(limiter, 'refused', T0);
  let nowMs = T0;
  let lastWaitMs = 0;
  for (let probe = 0; probe < 5; probe += 1) {
    assert.equal(limiter.mayStart(nowMs), false);
    const waitMs = limiter.notBeforeMs - nowMs;
    assert.ok(waitMs > lastWaitMs);
    lastWaitMs = waitMs;
    nowMs += waitMs;
    assert.equal(limiter.mayStart(nowMs - 1), false);
    assert.equal(limiter.mayStart(nowMs), true);
    limiter.started();
    assert.equal(limiter.mayStart(nowMs), false, 'a second probe');
    limiter.ended('overloaded', nowMs);
  }
  for (let count = 0; count < 50; count += 1) call(limiter, 'refused', nowMs);
  assert.ok(limiter.notBeforeMs - nowMs <= 30_000);
});

test('the first success after an outage opens carefully and grows from there', () => {
  const limiter = createLimiter(16);
  for (let count = 0; count < 9; count += 1) call(limiter, 'overloaded', T0 + count * 2_000);
  call(limiter, 'ok', T0 + 60_000);
  assert.equal(limiter.failuresInARow, 0);
  assert.equal(limiter.notBeforeMs, 0);
  assert.equal(limiter.limit, 2);
  assert.equal(limiter.mayStart(T0 + 60_000), true);
  for (let count = 0; count < 300; count += 1) call(limiter, 'ok', T0 + 60_000);
  assert.equal(limiter.limit, 16);
});

test('a push-back counts once for all that was in flight then, and again as soon as those are answered', () => {
  const limiter = createLimiter(16);
  for (let count = 0; count < 16; count += 1) limiter.started();
  for (let count = 0; count < 4; count += 1) limiter.pushedBack(T0);
  assert.deepEqual([limiter.limit, limiter.inFlight], [8, 16]);
  for (let count = 0; count < 12; count += 1) limiter.ended('ok', T0 + 1);
  const { limit } = limiter;
  assert.ok(limit > 9 && limit < 10, `${limit}`);
  limiter.pushedBack(T0 + 2);
  assert.equal(limiter.limit, limit / 2);
});

/** So many small calls, each as slow as the calls beside it make it; answers the highest limit of the last quarter. */
function afterCalls(limiter: Limiter, calls: number, tookMs: (inFlight: number) => number): number {
  const started: number[] = [];
  let highest = 0;
  for (let count = 0; count < calls; count += 1) {
    while (limiter.mayStart(T0)) {
      limiter.started();
      started.push(tookMs(limiter.inFlight));
    }
    limiter.ended('ok', T0, started.shift());
    if (count >= calls * 0.75) highest = Math.max(highest, limiter.limit);
  }
  return highest;
}

test('where more calls only make each slower, fewer are made; never less than a quarter of the maximum', () => {
  const queueing = (eachMs: number) => (inFlight: number) => eachMs * inFlight;
  const limiter = createLimiter(16);
  assert.ok(afterCalls(limiter, 120, queueing(200)) <= 8);
  afterCalls(limiter, 120, queueing(10_000));
  assert.ok(limiter.limit >= 4, `${limiter.limit}`);
  afterCalls(limiter, 300, queueing(20));
  assert.equal(limiter.limit, 16, 'what takes a third of a second at most is not slow');
});

test('a way that became longer for good ends up with as many calls as before', () => {
  const limiter = createLimiter(16);
  afterCalls(limiter, 100, () => 20);
  let least = 16;
  afterCalls(limiter, 1_000, () => {
    least = Math.min(least, limiter.limit);
    return 900;
  });
  assert.ok(least < 6, `first it is tried with fewer, not ${least}`);
  assert.equal(limiter.limit, 16);
});

test('an answer in no time, or in less by a clock that was set, does not make every other slow for good', () => {
  for (const tookMs of [0, -3_000]) {
    const limiter = createLimiter(16);
    afterCalls(limiter, 16, () => tookMs);
    afterCalls(limiter, 4_000, () => 600);
    assert.equal(limiter.limit, 16, `${tookMs} ms`);
  }
});

test('what says nothing about the store changes nothing', () => {
  const limiter = createLimiter(4);
  for (let count = 0; count < 100; count += 1) call(limiter, 'neutral', T0);
  assert.equal(limiter.limit, 4);
  assert.equal(limiter.failuresInARow, 0);
});

test('whatever happens: never more in flight than the maximum, and never stuck', () => {
  const outcome = fc.constantFrom<CallOutcome>('ok', 'overloaded', 'refused', 'neutral');
  const step = fc.record({ outcome, start: fc.boolean(), passMs: fc.integer({ min: 0, max: 5_000 }) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
      const limiter = createLimiter(max, () => 0.9);
      let nowMs = T0;
      for (const { outcome: how, start, passMs } of steps) {
        nowMs += passMs;
        if (start && limiter.mayStart(nowMs)) limiter.started();
        else if (limiter.inFlight > 0) limiter.ended(how, nowMs);
        assert.ok(limiter.inFlight <= max && limiter.limit >= 1 && limiter.limit <= max);
      }
      while (limiter.inFlight > 0) limiter.ended('neutral', nowMs);
      assert.equal(limiter.mayStart(nowMs + 60_000), true);
    }),
  );
});

test('a seeking limit settles within a tenth of what a server bears, whatever that is, in a minute', () => {
  for (const borne of [3, 5, 8, 13, 20, 40]) {
    const limiter = createLimiter(64, () => 0.5, { seeks: true });
    const answerMs = 100;
    const endsAt: number[] = [];
    let sum = 0;
    let ticks = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      while (endsAt[0] !== undefined && endsAt[0] <= nowMs) {
        endsAt.shift();
        limiter.ended('ok', nowMs);
      }
      while (limiter.mayStart(nowMs)) {
        limiter.started();
        // One more than it bears is refused at once, as a gateway does.
        if (endsAt.length >= borne) limiter.ended('overloaded', nowMs);
        else endsAt.push(nowMs + answerMs);
        if (limiter.inFlight > 64) break;
      }
      if (nowMs < 30_000) continue;
      sum += endsAt.length;
      ticks += 1;
    }
    const mean = sum / ticks;
    assert.ok(Math.abs(mean - borne) <= borne / 10, `${mean.toFixed(1)} in flight where ${borne} are borne`);
  }
});
