// What the walks saw, kept for the time between two of them: how full the disk is, how much waits, how old the oldest is.
import type { Clock } from '../core/clock.ts';
import { createDiskMeter, type DiskReading } from '../core/disk.ts';
import type { Log } from '../core/log.ts';
import type { Counters } from './counters.ts';
import type { PassResult } from './finder.ts';
import type { FilesSettings } from './settings.ts';
import type { Tally } from './snapshot.ts';
import { diskText } from './summary.ts';

/** The counters when a pass began: what moved since is no longer in what the pass saw. */
export interface PassStart {
  readonly movedFiles: number;
  readonly freedFiles: number;
  readonly freedDiskBytes: number;
}

export interface Sightings {
  passBegins(): PassStart;
  passEnded(pass: PassResult, start: PassStart): void;
  /** The last pass that ended. */
  readonly last: PassResult | undefined;
  readonly lastWalkAtMs: number | undefined;
  readonly lastArrivalAtMs: number | undefined;
  /** Complete files waiting, as the last pass saw them less what moved since: an estimate between two passes. */
  waiting(): Tally;
  /** Of files not proved; undefined when the last pass saw none or everything was proved since. */
  readonly oldestUnprovedMs: number | undefined;
  allProved(): void;
  /** Reads the meter anew. Undefined before the first pass. */
  readDisk(): DiskReading | undefined;
  readonly disk: DiskReading | undefined;
}

export function createSightings(
  settings: FilesSettings,
  counters: Counters,
  clock: Clock,
  log: Log,
): Sightings {
  const meter = createDiskMeter({
    limitBytes: settings.volumeLimitBytes,
    directory: settings.source,
    clock,
    watermarks: settings,
  });
  let last: { readonly pass: PassResult; readonly start: PassStart } | undefined;
  let lastWalkAtMs: number | undefined;
  let lastArrivalAtMs: number | undefined;
  let oldestUnprovedMs: number | undefined;
  let disk: DiskReading | undefined;
  let told = '';
  let criticalTold = false;

  const moved = (): number => counters.sent.files + counters.deduplicated.files;

  const readDisk = (): DiskReading | undefined => {
    if (!last) return undefined;
    const { pass, start } = last;
    const usedBytes = pass.report.usedBytes - (counters.freedDiskBytes - start.freedDiskBytes);
    const usedInodes =
      pass.report.usedInodes - (counters.freed.files + counters.spilled.files - start.freedFiles);
    disk = meter.record(Math.max(0, usedBytes), Math.max(0, usedInodes));
    tellCritical(disk);
    return disk;
  };

  /** The alarm does not wait for the next summary. Told again only after the disk was well in between. */
  const tellCritical = (reading: DiskReading): void => {
    if (reading.level === 'ok') criticalTold = false;
    if (reading.level !== 'critical' || criticalTold) return;
    criticalTold = true;
    log.error(
      `The volume of ${settings.source} is nearly full: ${diskText(reading)}. Files that are not proved are never ` +
        'deleted to make room: see what keeps them from S3, or give the volume more room.',
    );
  };

  /** The same trouble walk after walk is told once. */
  const tellProblems = (problems: readonly string[]): void => {
    const sentences = problems.join('\n');
    if (sentences !== told) for (const sentence of problems) log.warn(sentence);
    told = sentences;
  };

  return {
    passBegins: () => ({
      movedFiles: moved(),
      freedFiles: counters.freed.files + counters.spilled.files,
      freedDiskBytes: counters.freedDiskBytes,
    }),
    passEnded(pass, start) {
      last = { pass, start };
      lastWalkAtMs = clock.now();
      oldestUnprovedMs = pass.oldestUnprovedMs;
      if (pass.newestArrivalMs !== undefined)
        lastArrivalAtMs = Math.max(lastArrivalAtMs ?? 0, pass.newestArrivalMs);
      readDisk();
      tellProblems(pass.report.problems);
    },
    get last() {
      return last?.pass;
    },
    get lastWalkAtMs() {
      return lastWalkAtMs;
    },
    get lastArrivalAtMs() {
      return lastArrivalAtMs;
    },
    waiting() {
      if (!last || last.pass.unknown.files === 0) return { files: 0, bytes: 0 };
      const { files, bytes } = last.pass.unknown;
      const share = Math.max(0, 1 - (moved() - last.start.movedFiles) / files);
      return { files: Math.round(files * share), bytes: Math.round(bytes * share) };
    },
    get oldestUnprovedMs() {
      return oldestUnprovedMs;
    },
    allProved() {
      oldestUnprovedMs = undefined;
    },
    readDisk,
    get disk() {
      return disk;
    },
  };
}
