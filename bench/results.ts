// The shape of docs/benchmark.json, and the arithmetic on it: medians, ratios, dollars.
import type { Accounting, Cost } from './measure.ts';
import type { RequestCounts } from './servers.ts';

/** One run of one contender, verified: every file was in the bucket afterwards. */
export interface Run extends Cost {
  readonly requests: RequestCounts;
}

export interface ContenderResult {
  readonly name: string;
  readonly note: string;
  /** With the run's own paths and ports replaced by names. */
  readonly command: string;
  /** It deletes what it has moved. */
  readonly frees?: true;
  readonly runs: readonly Run[];
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly sizeBytes: number;
  readonly server: string;
  /** The day it was measured, ISO. */
  readonly date: string;
  readonly contenders: readonly ContenderResult[];
  /** Who could not take part, and why. */
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly kernel: string;
}

export interface Report {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly accounting: Accounting;
  readonly cases: readonly CaseResult[];
}

export interface Summary {
  readonly cpuMs: number;
  /** The kernel's part of it: system calls. */
  readonly systemMs: number;
  readonly wallMs: number;
  readonly peakRssBytes: number;
  readonly peakAnonBytes: number | undefined;
  readonly cpuMsPerFile: number;
  readonly filesPerSecond: number;
  readonly requests: RequestCounts;
  readonly dollarsPerMillion: number;
}

/** US dollars per request. S3 Standard, us-east-1, list prices; DELETE is free. Check before quoting. */
export const PRICES = {
  asOf: '2026-11',
  PUT: 0.005 / 1_000,
  POST: 0.005 / 1_000,
  LIST: 0.005 / 1_000,
  GET: 0.0004 / 1_000,
  HEAD: 0.0004 / 1_000,
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('There is no median of nothing.');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export const cpuMs = (run: Cost): number => run.userMs + run.systemMs;

/** What S3 would bill for these requests. A refused PUT is billed too and is counted under PUT already. */
export function dollars(requests: RequestCounts): number {
  return (['PUT', 'POST', 'LIST', 'GET', 'HEAD'] as const).reduce(
    (sum, method) => sum + (requests[method] ?? 0) * PRICES[method],
    0,
  );
}

/** Medians over the runs, each figure by itself. `files` 0 (a start) leaves the figures per file at 0. */
export function summarize(runs: readonly Run[], files: number): Summary {
  const of = (pick: (run: Run) => number): number => median(runs.map(pick));
  const methods = new Set(runs.flatMap((run) => Object.keys(run.requests)));
  const requests = Object.fromEntries(
    [...methods].sort().map((method) => [method, of((run) => run.requests[method] ?? 0)]),
  );
  const anon = runs.flatMap((run) => (run.peakAnonBytes === undefined ? [] : [run.peakAnonBytes]));
  const cpu = of(cpuMs);
  const wallMs = of((run) => run.wallMs);
  return {
    cpuMs: cpu,
    systemMs: of((run) => run.systemMs),
    wallMs,
    peakRssBytes: of((run) => run.peakRssBytes),
    peakAnonBytes: anon.length === 0 ? undefined : median(anon),
    cpuMsPerFile: files === 0 ? 0 : cpu / files,
    filesPerSecond: files === 0 ? 0 : files / (wallMs / 1_000),
    requests,
    dollarsPerMillion: files === 0 ? 0 : (dollars(requests) / files) * 1e6,
  };
}

const isFerry = ({ name }: ContenderResult): boolean => name === 'Ferry' || name.startsWith('Ferry, ');

/**
 * Ferry's CPU divided by each peer's: below 1, Ferry is cheaper. Like is compared with like: a peer that frees with Ferry
 * freeing, one that keeps with Ferry keeping.
 */
export function cpuRatios({ contenders }: CaseResult): Record<string, number> {
  const measured = contenders.filter(({ runs }) => runs.length > 0);
  return Object.fromEntries(
    measured
      .filter((peer) => !isFerry(peer))
      .flatMap((peer) => {
        const own = measured.find((one) => isFerry(one) && one.frees === peer.frees);
        if (own === undefined) return [];
        return [[peer.name, median(own.runs.map(cpuMs)) / median(peer.runs.map(cpuMs))]];
      }),
  );
}

/** Whether the figures of both may stand side by side. A kernel leaves a few pages more or less at each start. */
function isSameMachine(one: Machine, other: Machine): boolean {
  const { memoryBytes, ...rest } = one;
  const { memoryBytes: otherMemoryBytes, ...otherRest } = other;
  const isSameMemory = Math.abs(memoryBytes - otherMemoryBytes) < memoryBytes / 100;
  return isSameMemory && JSON.stringify(rest) === JSON.stringify(otherRest);
}

/**
 * The record with these cases in place of older ones; in the given order.
 * @throws Error when the record is another machine's: its figures must not stand beside these
 */
export function withCases(record: Report | undefined, measured: Report, order: readonly string[]): Report {
  if (record === undefined) return measured;
  const fresh = new Set(measured.cases.map(({ name }) => name));
  const kept = record.cases.filter(({ name }) => !fresh.has(name) && order.includes(name));
  if (kept.length === 0) return measured;
  if (!isSameMachine(record.machine, measured.machine)) {
    throw new Error('docs/benchmark.json is of another machine: measure all cases anew, without --case.');
  }
  const cases = [...kept, ...measured.cases].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { ...measured, versions: { ...record.versions, ...measured.versions }, cases };
}
