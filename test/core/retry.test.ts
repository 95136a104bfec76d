// Trying again never hurts a store in trouble: bounded waits, the server's word as a floor, a deadline, one shared budget.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StoreError, type StoreFault } from '../../app/core/errors.ts';
import { backoffMs, createRetrier, createRetryBudget, DEFAULT_RETRY } from '../../app/core/retry.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const POLICY = { baseMs: 100, capMs: 5_000, deadlineMs: 60_000 };
const UNIT = { min: 0, max: 0.999999, noNaN: true };

function failing(fault: StoreFault, times: number, retryAfterMs?: number) {
  const calls = { count: 0 };
  const call = (): Promise<string> => {
    calls.count += 1;
    return calls.count <= times
      ? Promise.reject(new StoreError(fault, `no ${calls.count}`, { retryAfterMs }))
      : Promise.resolve('done');
  };
  return { call, calls };
}

test('every wait lies between zero and the exponential ceiling, and uses all of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.double(UNIT), (n, r) => {
      const ceiling = Math.min(POLICY.capMs, POLICY.baseMs * 2 ** (n - 1));
      const waitMs = backoffMs(n, POLICY, () => r);
      assert.ok(waitMs >= 0 && waitMs <= ceiling);
      assert.ok(Math.abs(waitMs - r * ceiling) <= 0.5);
    }),
  );
});

test('what the server asked for is the least wait', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 100_000 }), (n, after) => {
      assert.ok(backoffMs(n, POLICY, () => 0.5, after) >= after);
    }),
  );
});

test('a call that mends itself succeeds, after waits that are jittered and honour Retry-After', async () => {
  const clock = createFakeClock({ runsAlong: true });
  const retry = createRetrier({ clock, budget: createRetryBudget(), policy: POLICY, random: () => 0.5 });
  const { call, calls } = failing('throttled', 3, 150);
  assert.equal(await retry(call), 'done');
  assert.equal(calls.count, 4);
  assert.deepEqual(clock.slept, [150, 150, 200]);
});

test('what does not mend itself is not tried again', async () => {
  for (const fault of ['denied', 'no-bucket', 'bad-request', 'bad-listing', 'no-space'] as const) {
    const { call, calls } = failing(fault, 99);
    const retry = createRetrier({ clock: createFakeClock(), budget: createRetryBudget() });
    await assert.rejects(retry(call), StoreError);
    assert.equal(calls.count, 1, fault);
  }
  const clock = createFakeClock();
  await assert.rejects(
    createRetrier({ clock, budget: createRetryBudget() })(() => Promise.reject(new TypeError('a defect'))),
    TypeError,
  );
  assert.deepEqual(clock.slept, []);
});

test('no try starts after the deadline, and the last error is the one told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 100_000 }),
      fc.infiniteStream(fc.double(UNIT)),
      async (deadlineMs, randoms) => {
        const clock = createFakeClock({ runsAlong: true });
        const startedMs = clock.now();
        let lastTryMs = startedMs;
        let tries = 0;
        const random = (): number => randoms.next().value ?? 0.5;
        const policy = { ...POLICY, deadlineMs };
        const retry = createRetrier({ clock, budget: createRetryBudget(50), policy, random });
        const error = await retry(() => {
          lastTryMs = clock.now();
          tries += 1;
          return Promise.reject(new StoreError('network', `try ${tries}`));
        }).catch((reason: unknown) => reason);
        assert.ok(error instanceof StoreError && error.message === `try ${tries}`);
        assert.ok(lastTryMs - startedMs <= deadlineMs);
      },
    ),
    { numRuns: 50 },
  );
});

test('a Retry-After beyond the deadline ends the tries at once', async () => {
  const clock = createFakeClock({ runsAlong: true });
  const { call, calls } = failing('throttled', 99, DEFAULT_RETRY.deadlineMs + 1);
  await assert.rejects(createRetrier({ clock, budget: createRetryBudget() })(call), StoreError);
  assert.equal(calls.count, 1);
});

test('the budget is shared: once empty, errors pass at once, and successes fill it again', async () => {
  const clock = createFakeClock({ runsAlong: true });
  const budget = createRetryBudget(5);
  const retry = createRetrier({ clock, budget, policy: { ...POLICY, deadlineMs: 1e9 } });
  const first = failing('unavailable', 99);
  await assert.rejects(retry(first.call), StoreError);
  assert.equal(first.calls.count, 6);
  const second = failing('unavailable', 99);
  await assert.rejects(retry(second.call), StoreError);
  assert.equal(second.calls.count, 1);
  // A tenth each, with room for what binary fractions lose.
  for (let count = 0; count < 11; count += 1) await retry(() => Promise.resolve());
  const third = failing('unavailable', 1);
  assert.equal(await retry(third.call), 'done');
  for (let count = 0; count < 1_000; count += 1) await retry(() => Promise.resolve());
  assert.equal(budget.tokens, 5);
});

test('a success after tries gives nothing back: only an untroubled store fills the budget', async () => {
  const budget = createRetryBudget(5);
  const retry = createRetrier({ clock: createFakeClock({ runsAlong: true }), budget });
  await retry(failing('timeout', 1).call);
  assert.equal(budget.tokens, 4);
});

test('an abort ends the wait and the tries', async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const { call, calls } = failing('network', 99);
  const running = createRetrier({ clock, budget: createRetryBudget(), random: () => 1 })(call, stop.signal);
  await clock.advance(0);
  assert.equal(clock.sleeping, 1);
  stop.abort();
  await assert.rejects(running, (error) => error instanceof StoreError && error.fault === 'aborted');
  assert.equal(calls.count, 1);
});

test('another kind of error is judged by its own judge, and tries end after the number allowed', async () => {
  const refusal = { retryAfterMs: 7 };
  let calls = 0;
  const retry = createRetrier<typeof refusal>({
    clock: createFakeClock({ runsAlong: true }),
    budget: createRetryBudget(),
    policy: { ...POLICY, retries: 3 },
    judge: (error) => (error === refusal ? refusal : undefined),
  });
  const call = (): Promise<never> => {
    calls += 1;
    return Promise.reject(refusal);
  };
  await assert.rejects(retry(call), (error) => error === refusal);
  assert.equal(calls, 4);
});

test('full jitter spreads the retries of a thousand callers to at most half the peak they would have without', () => {
  /** A quarter of the first wait: what falls into one arrives together. */
  const BUCKET_MS = 25;
  const peak = (random: () => number): number => {
    const buckets = new Map<number, number>();
    for (let caller = 0; caller < 1_000; caller += 1) {
      let atMs = 0;
      for (let attempt = 1; attempt <= 5; attempt += 1) {
        atMs += backoffMs(attempt, POLICY, random);
        const bucket = Math.floor(atMs / BUCKET_MS);
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      }
    }
    return Math.max(...buckets.values());
  };
  let state = 1;
  const seeded = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const [jittered, plain] = [peak(seeded), peak(() => 1)];
  assert.ok(jittered <= plain / 2, `${jittered} against ${plain}`);
});
