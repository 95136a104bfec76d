// Tells a writer's bursts from its steady rate, from files counted by the minute.

/** What was last changed within one minute: files, their content, and whole blocks. */
export interface Minute {
  files: number;
  bytes: number;
  allocated: number;
}

export const MINUTE_MS = 60_000;
/** A minute belongs to a burst when it has that many times the usual files, and at least so many. */
const BURST_TIMES = 3;
const BURST_FILES = 20;
/** What lasts longer is no burst but a rate. */
const BURST_MINUTES = 10;

export interface Burst {
  readonly files: number;
  readonly bytes: number;
}

/** Tells bursts from the steady rate. */
export function studyMinutes(minutes: ReadonlyMap<number, Minute>) {
  const order = [...minutes].sort(([a], [b]) => a - b);
  const first = order[0]?.[0] ?? 0;
  const last = order.at(-1)?.[0] ?? -1;
  const span = last - first + 1;
  const usual = usualFiles(order, span);
  const threshold = Math.max(BURST_FILES, BURST_TIMES * usual);
  const bursts: Burst[] = [];
  const steady = { files: 0, bytes: 0, allocated: 0 };
  const steadyByMinute: [minute: number, files: number][] = [];
  for (let at = 0; at < order.length; ) {
    const run: [number, Minute][] = [];
    for (let next = order[at]; next && next[1].files > threshold; next = order[at]) {
      const before = run.at(-1);
      if (before && next[0] !== before[0] + 1) break;
      run.push(next);
      at += 1;
    }
    if (run.length === 0) {
      const alone = order[at];
      if (alone) run.push(alone);
      at += 1;
    } else if (run.length <= BURST_MINUTES) {
      bursts.push(burstOf(run, usual));
      continue;
    }
    for (const [minute, { files, bytes: content, allocated }] of run) {
      steady.files += files;
      steady.bytes += content;
      steady.allocated += allocated;
      steadyByMinute.push([minute, files]);
    }
  }
  const spanMs = span * MINUTE_MS;
  return {
    spanMs,
    steady,
    bursts,
    averageRate: span === 0 ? 0 : steady.files / (span * 60),
    busiestRate: busiest(steadyByMinute, span),
  };
}

/** The median of all minutes, silent ones included; 0 when there are too few to speak of a usual one. */
function usualFiles(order: readonly (readonly [number, Minute])[], span: number): number {
  if (span < 3) return 0;
  const counts = order.map(([, { files }]) => files).sort((a, b) => a - b);
  return counts[Math.floor(span / 2) - (span - counts.length)] ?? 0;
}

function burstOf(run: readonly (readonly [number, Minute])[], usual: number): Burst {
  const files = run.reduce((sum, [, minute]) => sum + minute.files, 0);
  const content = run.reduce((sum, [, minute]) => sum + minute.bytes, 0);
  const own = Math.max(1, files - usual * run.length);
  return { files: own, bytes: (content / files) * own };
}

export function burstSize(bursts: readonly Burst[]): number {
  const files = bursts.reduce((sum, burst) => sum + burst.files, 0);
  return files === 0 ? 0 : bursts.reduce((sum, burst) => sum + burst.bytes, 0) / files;
}

/** Files a second of the busiest sixty minutes in a row, or of the whole span when it is shorter. */
function busiest(byMinute: readonly (readonly [number, number])[], span: number): number {
  const window = Math.min(60, span);
  let best = 0;
  let sum = 0;
  let from = 0;
  for (const [minute, files] of byMinute) {
    sum += files;
    for (let oldest = byMinute[from]; oldest && oldest[0] <= minute - window; oldest = byMinute[from]) {
      sum -= oldest[1];
      from += 1;
    }
    best = Math.max(best, sum);
  }
  return window === 0 ? 0 : best / (window * 60);
}
