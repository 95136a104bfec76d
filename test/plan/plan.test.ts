import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { READ_BUFFER_BYTES } from '../../app/files/send.ts';
import { shown } from '../../app/plan/figure.ts';
import { type PlanInputs, planProblems, SITES } from '../../app/plan/inputs.ts';
import * as measured from '../../app/plan/measured.ts';
import { type FigureName, type Plan, PlanError, planCapacity } from '../../app/plan/plan.ts';
import { GROUPS } from '../../app/plan/table.ts';
import { anyInputs, HOUR_MS, inputs } from './samples.ts';

/** What is asked for: more of an input must never ask for less of any of these. */
const ASKED: readonly FigureName[] = [
  'shiftFiles',
  'shiftBytes',
  'retainedFiles',
  'retainedBytes',
  'outageFiles',
  'outageBytes',
  'peakFiles',
  'peakBytes',
  'sizeLimitBytes',
  'lowWatermarkBytes',
  'highWatermarkBytes',
  'criticalWatermarkBytes',
  'inodes',
  'fileSystemBytes',
  'stateSizeBytes',
  'writerEphemeralStorageLimitBytes',
  'uploaderEphemeralStorageLimitBytes',
  'volumeMemoryBytes',
  'memoryRequestBytes',
  'memoryLimitBytes',
  'cpuRequestMillicores',
  'cpuLimitMillicores',
  'drainSeconds',
  'gracePeriodSeconds',
  'filesPerDay',
  'contentBytesPerDay',
  'averageBandwidth',
  'burstBandwidth',
  'catchUpBandwidth',
  'neededBandwidth',
  'catchUpRate',
  'catchUpSeconds',
  'putsPerDay',
  'listsPerDay',
  'putDollarsPerDay',
  'requestDollarsPerMonth',
  'storageDollarsFirstMonth',
  'storageDollarsPerMonth',
  'dollarsFirstMonth',
  'dollarsPerMonth',
];

/** A few numbers of a plan as people read them. */
function shownOf(plan: Plan, names: readonly FigureName[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, shown(plan[name])]));
}

test('12 files/s of 1 KB: 2.0 GiB for a shift, 4.0 GiB for a day, inodes before bytes, $5.18 a day', () => {
  const plan = planCapacity(SITES.small);
  assert.equal(plan.shiftFiles.value, 518_400);
  assert.equal(plan.shiftBytes.value, 518_400 * 4_096);
  assert.equal(plan.retainedFiles.value, 1_036_800);
  assert.equal(plan.retainedBytes.value, 1_036_800 * 4_096);
  assert.equal(plan.decidedBy, 'inodes');
  assert.ok(plan.fileSystemBytes.value >= 15.8 * 2 ** 30);
  assert.ok(plan.inodes.value >= 1_036_800);
  assert.equal(plan.putsPerDay.value, 1_036_800);
  assert.deepEqual(
    shownOf(plan, [
      'shiftBytes',
      'retainedBytes',
      'outageFiles',
      'sizeLimitBytes',
      'fileSystemBytes',
      'putDollarsPerDay',
      'requestDollarsPerMonth',
      'packingSavesDollarsPerMonth',
      'drainSeconds',
      'gracePeriodSeconds',
      'memoryLimitBytes',
      'cpuRequestMillicores',
      'cpuLimitMillicores',
      'neededBandwidth',
    ]),
    {
      shiftBytes: '2.0 GiB',
      retainedBytes: '4.0 GiB',
      outageFiles: '172,800 files',
      sizeLimitBytes: '5.4 GiB',
      fileSystemBytes: '21.3 GiB',
      putDollarsPerDay: '$5.18 a day',
      requestDollarsPerMonth: '$156.05 a month',
      packingSavesDollarsPerMonth: '$155.36 a month',
      drainSeconds: '47s',
      gracePeriodSeconds: '1m 22s',
      memoryLimitBytes: '144.0 MiB',
      cpuRequestMillicores: '70m',
      cpuLimitMillicores: '500m',
      neededBandwidth: '2 Mbit/s',
    },
  );
  assert.match(
    plan.shiftBytes.why,
    /^518,400 files x 4 KiB, because a file of 1 KiB occupies a whole block of 4 KiB$/,
  );
  assert.match(plan.fileSystemBytes.why, /^inodes decide: .*1,036,800 retained files alone need 15\.8 GiB/);
});

test('5,000 files of 13 KB at each start: a day holds three bursts, the grace period lets one leave', () => {
  const plan = planCapacity(SITES.burst);
  assert.equal(plan.shiftFiles.value, 5_000);
  assert.equal(plan.retainedFiles.value, 15_000);
  assert.equal(plan.retainedBytes.value, 15_000 * 16_384);
  assert.equal(plan.contentBytesPerDay.value, 2 * 65_000_000);
  assert.deepEqual(
    shownOf(plan, [
      'sizeLimitBytes',
      'putsPerDay',
      'drainSeconds',
      'gracePeriodSeconds',
      'burstBandwidth',
      'putDollarsPerDay',
    ]),
    {
      sizeLimitBytes: '337.0 MiB',
      putsPerDay: '10,000 requests a day',
      drainSeconds: '26s',
      gracePeriodSeconds: '1m 1s',
      burstBandwidth: '10 Mbit/s',
      putDollarsPerDay: '$0.05 a day',
    },
  );
  assert.equal(plan.decidedBy, 'bytes');
});

test('every number has its arithmetic in one line, and every number is in the table once', () => {
  fc.assert(
    fc.property(anyInputs, (candidate) => {
      const plan = planCapacity(candidate);
      const figures = Object.entries(plan).filter(
        ([, value]) => typeof value === 'object' && value !== null && 'why' in value,
      );
      const rows = GROUPS.flatMap(({ rows }) => rows.map(([name]) => name as string));
      assert.deepEqual(figures.map(([name]) => name).sort(), [...rows].sort());
      for (const [name] of figures) {
        const { value, why } = plan[name as FigureName];
        assert.ok(value >= 0, `${name} is ${value}`);
        assert.ok(why.length > 0 && !/[\n|]|NaN|undefined|Infinity|\.$/.test(why), `${name}: ${why}`);
        assert.doesNotMatch(shown(plan[name as FigureName]), /NaN|undefined|Infinity|^$/, name);
      }
    }),
    { numRuns: 200 },
  );
});

const GROWING = ['rate', 'sizeBytes', 'burst', 'burstSizeBytes', 'retentionMs', 'outageMs'] as const;

test('more of rate, size, burst, retention or outage never asks for less of anything', () => {
  fc.assert(
    fc.property(
      anyInputs,
      fc.constantFrom(...GROWING),
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.nat(100),
      (before, field, times, more) => {
        const grown = before[field] * (1 + times) + more;
        const after: PlanInputs = { ...before, [field]: field === 'rate' ? grown : Math.round(grown) };
        fc.pre(planProblems(after).length === 0);
        const [small, large] = [planCapacity(before), planCapacity(after)];
        for (const name of ASKED) {
          const [less, greater] = [small[name].value, large[name].value];
          assert.ok(
            greater >= less * (1 - 1e-12),
            `${name}: ${less} -> ${greater} with ${field} ${before[field]} -> ${grown}`,
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('the sum of the ephemeral-storage limits holds every volume on the disk, and memory counts the others', () => {
  fc.assert(
    fc.property(anyInputs, (candidate) => {
      const plan = planCapacity(candidate);
      const sum = plan.writerEphemeralStorageLimitBytes.value + plan.uploaderEphemeralStorageLimitBytes.value;
      const onDisk = candidate.volume === 'emptyDir' ? plan.sizeLimitBytes.value : 0;
      assert.ok(sum >= onDisk + plan.stateSizeBytes.value + 100 * 2 ** 20);
      const inMemory = plan.volumeMemoryBytes.value;
      assert.ok(candidate.volume === 'memory' ? inMemory > plan.sizeLimitBytes.value : inMemory === 0);
      assert.ok(
        plan.gracePeriodSeconds.value * 1_000 > candidate.writerStopMs + plan.drainSeconds.value * 1_000,
      );
      assert.ok(plan.memoryRequestBytes.value <= plan.memoryLimitBytes.value);
      assert.ok(plan.cpuRequestMillicores.value <= plan.cpuLimitMillicores.value);
    }),
    { numRuns: 100 },
  );
});

test('small uploads are planned with the buffers that the mover reads them into', () => {
  assert.equal(measured.READ_BUFFER_BYTES, READ_BUFFER_BYTES);
  const of = (concurrency: number) =>
    planCapacity(inputs({ rate: 12, sizeBytes: 1_024, concurrency })).memoryLimitBytes.value;
  assert.equal(of(528) - of(16), 512 * READ_BUFFER_BYTES);
});

test('what cannot be planned is refused with all of it at once', () => {
  const wrong = inputs({
    sizeBytes: 0,
    burst: 1.5,
    retentionMs: Number.NaN,
    lowWatermark: 0.9,
    bandwidth: -1,
  });
  assert.deepEqual(
    planProblems(wrong).map(({ fields }) => fields[0]),
    ['sizeBytes', 'burst', 'retentionMs', 'bandwidth', 'lowWatermark'],
  );
  assert.throws(() => planCapacity(wrong), PlanError);
  assert.match(planProblems(inputs({ rate: 0 }))[0]?.wrong ?? '', /no file at all/);
  assert.match(
    planProblems(inputs({ rate: 1e6, sizeBytes: 2 ** 40 }))[0]?.wrong ?? '',
    /more than any one volume holds/,
  );
  assert.deepEqual(planProblems(inputs({ lifetimeMs: Number.POSITIVE_INFINITY })), []);
  assert.equal(planProblems(inputs({ rate: Number.POSITIVE_INFINITY })).length, 1);
});

test('what works and may still surprise is said in a sentence with both numbers', () => {
  const said = (changes: Partial<PlanInputs>): string => planCapacity(inputs(changes)).warnings.join('\n');
  assert.match(said({ bandwidth: 1e5 }), /bandwidth of 100 kbit\/s is below the 2 Mbit\/s/);
  assert.match(said({ retentionMs: HOUR_MS }), /retention \(1h\) is shorter than a shift \(12h\)/);
  assert.match(said({ latencyMs: 2_000 }), /never catches up: 8 files\/s/);
  assert.match(said({ latencyMs: 500 }), /catching up takes 2h 24m, not 1h/);
  assert.match(said({ drainMs: 5_000 }), /drain of 5 s is shorter than the 47 s/);
  assert.match(said({ rate: 3_000 }), /split the writer's directories/);
  assert.match(said({}), /gets the whole pod evicted/);
  assert.doesNotMatch(said({ volume: 'ephemeral' }), /evicted/);
});

test('the sentence for the networking team names the port, the need and the outage', () => {
  const { networkAsk } = planCapacity(SITES.small);
  assert.match(networkAsk, /^Please allow 2 Mbit\/s of outgoing HTTPS \(TCP 443\) to S3 and STS/);
  assert.match(networkAsk, /after an outage of 4h/);
});

test('small objects are billed by their class: minimum size, overhead and the move into it', () => {
  const monthly = (storageClass: PlanInputs['storageClass'], sizeBytes: number): number =>
    planCapacity(inputs({ storageClass, sizeBytes })).dollarsPerMonth.value;
  assert.ok(monthly('GLACIER_IR', 1_024) > monthly('STANDARD', 1_024));
  assert.ok(monthly('GLACIER_IR', 2 ** 20) < monthly('STANDARD', 2 ** 20));
  const { why } = planCapacity(inputs({ storageClass: 'GLACIER_IR' })).storageDollarsPerMonth;
  assert.match(why, /128\.0 KiB billed for each of 1 KiB|128 KiB billed for each of 1 KiB/);
});
