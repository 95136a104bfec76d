import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SITES } from '../../app/plan/inputs.ts';
import { createObserver, observationText } from '../../app/plan/observe.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { HOUR_MS } from './samples.ts';

const START_MS = Date.UTC(2026, 10, 20, 6);
const SHIFT_MS = 12 * HOUR_MS;

function observer(lastMs = START_MS + 48 * HOUR_MS) {
  return createObserver({ blockSizeBytes: 4_096, nowMs: lastMs });
}

/** Files evenly spread over a time. */
function steady(
  into: ReturnType<typeof observer>,
  fromMs: number,
  spanMs: number,
  perSecond: number,
  sizeBytes: number,
): void {
  for (let index = 0; index < (spanMs / 1_000) * perSecond; index += 1)
    into.add({ mtimeMs: fromMs + (index * 1_000) / perSecond, sizeBytes, pathLength: 20 });
}

test('a steady writer is seen with its rate, its size and no burst', () => {
  const seen = observer();
  steady(seen, START_MS, 3 * HOUR_MS, 2, 1_000);
  const result = seen.result();
  assert.equal(result.files, 21_600);
  assert.equal(result.bursts.count, 0);
  assert.equal(result.spanMs, 3 * HOUR_MS);
  assert.deepEqual(
    result.hours.map(({ files }) => files),
    [7_200, 7_200, 7_200],
  );
  assert.deepEqual([result.averageRate, result.busiestRate], [2, 2]);
  const { rate, sizeBytes, allocatedBytes, burst, pathLength } = seen.inputs(SHIFT_MS);
  assert.deepEqual([rate, sizeBytes, allocatedBytes, burst, pathLength], [2, 1_000, 4_096, 0, 20]);
});

test('a burst at every start is told from the rate, also where it straddles a minute', () => {
  const seen = observer();
  for (const startMs of [START_MS, START_MS + SHIFT_MS]) {
    steady(seen, startMs, 6 * HOUR_MS, 0.5, 500);
    for (let index = 0; index < 5_000; index += 1)
      seen.add({ mtimeMs: startMs + 40_000 + index * 8, sizeBytes: 13_000, pathLength: 20 });
  }
  const result = seen.result();
  assert.equal(result.bursts.count, 2);
  assert.ok(Math.abs(result.bursts.largestFiles - 5_000) < 100, String(result.bursts.largestFiles));
  const made = seen.inputs(SHIFT_MS);
  assert.ok(Math.abs((made.rate ?? 0) - 0.5) < 0.02, String(made.rate));
  assert.equal(made.sizeBytes, 500);
  assert.ok(Math.abs((made.burstSizeBytes ?? 0) - 13_000) < 200);
  assert.equal(made.starts, 2);
});

test('a burst in the midst of many other files keeps to its own number', () => {
  const seen = observer();
  steady(seen, START_MS, 2 * HOUR_MS, 12, 1_000);
  for (let index = 0; index < 5_000; index += 1)
    seen.add({ mtimeMs: START_MS + HOUR_MS + 40_000 + index * 8, sizeBytes: 1_000, pathLength: 20 });
  assert.deepEqual(seen.result().bursts, { count: 1, largestFiles: 5_000, averageBytes: 1_000 });
  assert.equal(seen.inputs(SHIFT_MS).rate, 12);
});

test('a directory that was filled in one go is a burst', () => {
  const seen = observer();
  for (let index = 0; index < 5_000; index += 1)
    seen.add({ mtimeMs: START_MS + index * 5, sizeBytes: 13_000, pathLength: 30 });
  const made = seen.inputs(SHIFT_MS);
  assert.deepEqual([made.rate, made.burst, made.burstSizeBytes, made.starts], [0, 5_000, 13_000, 1]);
  const plan = planCapacity({ ...SITES.small, ...made });
  assert.equal(plan.retainedFiles.value, 15_000);
});

test('the busiest hour makes the rate, not the average day', () => {
  const seen = observer();
  steady(seen, START_MS, 8 * HOUR_MS, 1, 100);
  steady(seen, START_MS + 8 * HOUR_MS, HOUR_MS, 3, 100);
  steady(seen, START_MS + 9 * HOUR_MS, 8 * HOUR_MS, 1, 100);
  assert.equal(seen.result().busiestRate, 3);
  assert.ok(seen.result().averageRate < 1.2);
});

test('a writer that works an hour a day has a rate in it, not a burst', () => {
  const seen = observer();
  steady(seen, START_MS, HOUR_MS, 1, 100);
  steady(seen, START_MS + 24 * HOUR_MS, HOUR_MS, 1, 100);
  assert.equal(seen.result().bursts.count, 0);
  assert.equal(seen.inputs(SHIFT_MS).rate, 1);
});

test('times of many years and of the future are counted and kept out of the rates', () => {
  const seen = observer(START_MS);
  for (let minute = 0; minute < 200_000; minute += 1)
    seen.add({ mtimeMs: START_MS - minute * 60_000, sizeBytes: 10, pathLength: 5 });
  seen.add({ mtimeMs: START_MS + 10 * HOUR_MS, sizeBytes: 10, pathLength: 5 });
  seen.add({ mtimeMs: Number.NaN, sizeBytes: 10, pathLength: 5 });
  const result = seen.result();
  assert.equal(result.files, 200_002);
  assert.ok(result.outsideFiles > 100_000);
  assert.ok(result.spanMs <= 60 * 24 * HOUR_MS);
  assert.match(observationText(result), /rates leave them out/);
});

test('empty files, one file and none at all give numbers, not errors', () => {
  const seen = observer();
  assert.equal(seen.result().files, 0);
  assert.match(observationText(seen.result()), /0 files/);
  seen.add({ mtimeMs: START_MS, sizeBytes: 0, pathLength: 1 });
  const made = seen.inputs(SHIFT_MS);
  const plan = planCapacity({ ...SITES.small, ...made });
  assert.ok(plan.sizeLimitBytes.value > 0);
  assert.doesNotMatch(observationText(seen.result()), /NaN|Infinity/);
});
