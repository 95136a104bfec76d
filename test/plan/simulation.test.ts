// The plan's size limit against a writer that really fills it: minute by minute, through bursts, an outage and days.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PlanInputs, SITES } from '../../app/plan/inputs.ts';
import { planCapacity } from '../../app/plan/plan.ts';
import { anyInputs, HOUR_MS, inputs } from './samples.ts';

interface Seen {
  calmBytes: number;
  calmFiles: number;
  peakBytes: number;
  peakFiles: number;
}

/**
 * A volume over steps: files arrive with the rate and in bursts, and leave two minutes after the retention; in an
 * outage nothing leaves, as when the uploader restarted and the store cannot tell it what is there.
 */
function simulate(
  given: PlanInputs,
  outageFromMs: number,
  phaseMs: number,
  untilMs: number,
  stepMs: number,
): Seen {
  const lagMs = 2 * 60_000;
  const perFile =
    given.allocatedBytes ?? Math.ceil(given.sizeBytes / given.blockSizeBytes) * given.blockSizeBytes;
  const perBurst = Math.ceil(given.burstSizeBytes / given.blockSizeBytes) * given.blockSizeBytes;
  const spacingMs = given.shiftMs / given.starts;
  const held: { atMs: number; files: number; bytes: number }[] = [];
  const seen: Seen = { calmBytes: 0, calmFiles: 0, peakBytes: 0, peakFiles: 0 };
  let [files, bytes, oldest, nextBurstMs, made] = [0, 0, 0, phaseMs, 0];
  for (let nowMs = 0; nowMs <= untilMs; nowMs += stepMs) {
    const should = Math.floor((given.rate * nowMs) / 1_000);
    const batch = { atMs: nowMs, files: should - made, bytes: (should - made) * perFile };
    made = should;
    for (; given.burst > 0 && nextBurstMs <= nowMs; nextBurstMs += spacingMs) {
      batch.files += given.burst;
      batch.bytes += given.burst * perBurst;
    }
    held.push(batch);
    files += batch.files;
    bytes += batch.bytes;
    const outage = nowMs >= outageFromMs && nowMs < outageFromMs + given.outageMs;
    for (
      let first = held[oldest];
      !outage && first && first.atMs + given.retentionMs + lagMs <= nowMs;
      first = held[oldest]
    ) {
      files -= first.files;
      bytes -= first.bytes;
      oldest += 1;
    }
    if (nowMs < outageFromMs) {
      seen.calmBytes = Math.max(seen.calmBytes, bytes);
      seen.calmFiles = Math.max(seen.calmFiles, files);
    }
    seen.peakBytes = Math.max(seen.peakBytes, bytes);
    seen.peakFiles = Math.max(seen.peakFiles, files);
  }
  return seen;
}

function holds(given: PlanInputs, phaseMs: number, stepMs: number): void {
  const plan = planCapacity(given);
  const outageFromMs = Math.ceil((given.retentionMs + 2 * given.shiftMs) / stepMs) * stepMs;
  const untilMs = outageFromMs + given.outageMs + given.shiftMs;
  const seen = simulate(given, outageFromMs, phaseMs, untilMs, stepMs);
  assert.ok(
    seen.calmBytes <= plan.lowWatermarkBytes.value,
    `calm: ${seen.calmBytes} of ${plan.lowWatermarkBytes.value}`,
  );
  assert.ok(
    seen.peakBytes <= plan.criticalWatermarkBytes.value,
    `peak: ${seen.peakBytes} of ${plan.criticalWatermarkBytes.value}`,
  );
  assert.ok(seen.peakFiles <= plan.peakFiles.value, `files: ${seen.peakFiles} of ${plan.peakFiles.value}`);
  assert.ok(seen.peakFiles <= plan.inodes.value * given.criticalWatermark, 'inodes');
  assert.ok(seen.peakFiles > 0);
}

test('both sites stay below the low watermark on normal days and below the critical one through the longest outage', () => {
  for (const site of Object.values(SITES))
    for (const phaseMs of [0, 6 * HOUR_MS]) holds(site, phaseMs, 60_000);
});

test('so does any writer: never over the limit, whenever its starts and the outage fall', () => {
  fc.assert(
    fc.property(anyInputs, fc.double({ min: 0, max: 1, noNaN: true }), (candidate, phase) => {
      const phaseMs = Math.floor((phase * candidate.shiftMs) / candidate.starts);
      // The step divides what is simulated, so that no file leaves later than it would.
      const given = {
        ...candidate,
        retentionMs: roundTo(candidate.retentionMs),
        outageMs: roundTo(candidate.outageMs),
      };
      holds(given, phaseMs, STEP_MS);
    }),
    { numRuns: 100 },
  );
});

const STEP_MS = 2 * 60_000;
const roundTo = (ms: number): number => Math.floor(ms / STEP_MS) * STEP_MS;

test('the limit is no mere guess upwards: an outage half as long again passes the critical watermark', () => {
  const given = inputs({
    rate: 0.5,
    burst: 0,
    lowWatermark: 0.85,
    highWatermark: 0.9,
    outageMs: 12 * HOUR_MS,
  });
  const plan = planCapacity(given);
  const seen = simulate({ ...given, outageMs: 18 * HOUR_MS }, 48 * HOUR_MS, 0, 72 * HOUR_MS, 60_000);
  assert.ok(seen.peakBytes > plan.criticalWatermarkBytes.value);
});

test('the time to full is when the simulated volume is full', () => {
  const given = inputs({ rate: 2, outageMs: 4 * HOUR_MS });
  const plan = planCapacity(given);
  const outageFromMs = 30 * HOUR_MS;
  const fullMs = plan.fullInSeconds.value * 1_000;
  const until = (ms: number) =>
    simulate({ ...given, outageMs: 1_000 * HOUR_MS }, outageFromMs, 0, outageFromMs + ms, 60_000).peakFiles;
  assert.ok(until(fullMs - 10 * 60_000) < plan.inodes.value);
  assert.ok(until(fullMs + 10 * 60_000) > plan.inodes.value - 10_000);
});
