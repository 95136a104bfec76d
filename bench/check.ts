// Whether Ferry got dearer: ratios of CPU, never times, so that any machine can judge.
import { type CaseResult, cpuRatios, type Report } from './results.ts';

/** How much worse a ratio may be than the one on record: noise of a shared machine stays below. */
export const TOLERANCE = 0.25;

/**
 * One sentence for each ratio that got worse. Results of the same case are taken together.
 * @throws Error when the record knows none of the ratios: nothing would be checked
 */
export function worseRatios(baseline: Report, results: readonly CaseResult[]): string[] {
  const worse: string[] = [];
  let compared = 0;
  for (const result of together(results)) {
    const before = baseline.cases.find(({ name }) => name === result.name);
    if (before === undefined) continue;
    const recorded = cpuRatios(before);
    for (const [peer, ratio] of Object.entries(cpuRatios(result))) {
      const expected = recorded[peer];
      if (expected === undefined) continue;
      compared += 1;
      if (ratio <= expected * (1 + TOLERANCE)) continue;
      worse.push(
        `${result.name}: Ferry's CPU is ${ratio.toFixed(2)} of that of ${peer}; on record is ${expected.toFixed(2)} ` +
          `(${Math.round((ratio / expected - 1) * 100)} % worse, allowed are ${TOLERANCE * 100} %).`,
      );
    }
  }
  if (compared === 0) {
    throw new Error('docs/benchmark.json has no ratio to compare with: write it with --write-docs.');
  }
  return worse;
}

function together(results: readonly CaseResult[]): CaseResult[] {
  const merged = new Map<string, CaseResult>();
  for (const result of results) {
    const before = merged.get(result.name);
    if (before === undefined) merged.set(result.name, result);
    else {
      merged.set(result.name, {
        ...before,
        contenders: before.contenders.map((contender) => ({
          ...contender,
          runs: [
            ...contender.runs,
            ...(result.contenders.find(({ name }) => name === contender.name)?.runs ?? []),
          ],
        })),
      });
    }
  }
  return [...merged.values()];
}
