// Inputs for the plan's tests: the two sites, and any that make a plan.
import fc from 'fast-check';
import { type PlanInputs, planProblems, SITES } from '../../app/plan/inputs.ts';

export const HOUR_MS = 3_600_000;

/** The small site with some things changed. */
export function inputs(changes: Partial<PlanInputs> = {}): PlanInputs {
  return { ...SITES.small, ...changes };
}

/** Writers from a file a minute to thousands a second, hours to weeks of retention. */
export const anyInputs: fc.Arbitrary<PlanInputs> = fc
  .record({
    rate: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 2_000, noNaN: true })),
    sizeBytes: fc.integer({ min: 1, max: 64 * 2 ** 20 }),
    burst: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50_000 })),
    burstSizeBytes: fc.integer({ min: 1, max: 16 * 2 ** 20 }),
    starts: fc.integer({ min: 1, max: 5 }),
    shiftMs: fc.integer({ min: HOUR_MS, max: 24 * HOUR_MS }),
    retentionMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 14 * 24 * HOUR_MS })),
    outageMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 * 24 * HOUR_MS })),
    latencyMs: fc.integer({ min: 5, max: 500 }),
    bandwidth: fc.option(fc.integer({ min: 1e5, max: 1e10 }), { nil: undefined }),
    pathLength: fc.integer({ min: 1, max: 255 }),
    lowWatermark: fc.constantFrom(0.3, 0.5, 0.75),
    highWatermark: fc.constantFrom(0.8, 0.85),
    criticalWatermark: fc.constantFrom(0.9, 0.95, 1),
    volume: fc.constantFrom('emptyDir' as const, 'memory' as const, 'ephemeral' as const),
    storageClass: fc.constantFrom('STANDARD' as const, 'GLACIER_IR' as const, 'DEEP_ARCHIVE' as const),
  })
  .map((changes) => inputs(changes))
  .filter((candidate) => planProblems(candidate).length === 0);
