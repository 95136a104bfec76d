// The writer as a process of its own: the command that runs it, and starting, finding and stopping it from the demo.
// It outlives Ferry, as the vendor's program does; a demo that is started again finds it and goes on with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, monotonicMs, systemClock } from '../core/clock.ts';
import { type ExitName, errnoOf, FerryError } from '../core/errors.ts';
import { parseSizeBytes } from '../core/units.ts';
import { newRunId, runWriter, WRITER_PATTERNS, type WriterOptions } from './writer.ts';

/** The hidden command's name in main.ts. */
export const WRITER_COMMAND = 'vendor-writer';

/** A writer whose demo was killed ends after this time, so that a forgotten one does not fill the disk. */
const ORPHAN_MS = 10 * 60_000;
const ORPHAN_LOOK_MS = 5_000;
/** For the file in hand; the slowest pattern needs less than a second once it is told to stop. */
const STOP_MS = 5_000;
const STOP_LOOK_MS = 20;

/** The flags of `ferry vendor-writer`, as text. */
export interface WriterFlags {
  readonly dir: string;
  readonly manifest?: string | undefined;
  readonly rate?: string | undefined;
  readonly size?: string | undefined;
  readonly burst?: string | undefined;
  readonly burstSize?: string | undefined;
  readonly pattern?: string | undefined;
  readonly seed?: string | undefined;
}

/** Text flags to options. @throws FerryError `config` naming the flag. */
export function parseWriterFlags(flags: WriterFlags): WriterOptions {
  const pattern = WRITER_PATTERNS.find((known) => known === (flags.pattern ?? 'plain'));
  if (pattern === undefined) {
    throw new FerryError(
      'config',
      `--pattern ${flags.pattern} is unknown.`,
      `Use one of ${WRITER_PATTERNS.join(', ')}.`,
    );
  }
  return {
    directory: flags.dir,
    manifest: flags.manifest ?? join(dirname(flags.dir), 'written.jsonl'),
    filesPerSecond: numberFlag('--rate', flags.rate ?? '12', Number),
    sizeBytes: numberFlag('--size', flags.size ?? '1Ki', parseSizeBytes),
    burstFiles: Math.floor(numberFlag('--burst', flags.burst ?? '5000', Number)),
    burstSizeBytes: numberFlag('--burst-size', flags.burstSize ?? '13Ki', parseSizeBytes),
    pattern,
    seed: flags.seed ?? 'ferry',
    runId: newRunId(systemClock.now()),
    clock: systemClock,
  };
}

function numberFlag(flag: string, text: string, parse: (text: string) => number | undefined): number {
  const value = text.trim() === '' ? undefined : parse(text);
  if (value === undefined || !Number.isFinite(value) || value < 0) {
    throw new FerryError('config', `${flag} ${text} is no number.`, 'Use e.g. 12, or 13Ki for a size.');
  }
  return value;
}

/** `ferry vendor-writer`: writes until SIGTERM or SIGINT. @throws FerryError for a wrong flag or an unwritable folder. */
export async function runWriterCommand(flags: WriterFlags): Promise<ExitName> {
  const stop = new AbortController();
  const options = parseWriterFlags(flags);
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  const parent = process.ppid;
  let orphanSinceMs: number | undefined;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    orphanSinceMs ??= options.clock.now();
    if (options.clock.now() - orphanSinceMs >= ORPHAN_MS) stop.abort();
  }, ORPHAN_LOOK_MS);
  try {
    await runWriter(options, stop.signal);
  } finally {
    clearInterval(look);
  }
  return 'ok';
}

export interface WriterProcess {
  readonly pid: number;
  /** It was still running from an earlier start of the demo. */
  readonly found: boolean;
  /** False once it has ended, whatever the reason. */
  running(): boolean;
  /** Asks it to end (SIGTERM) and waits for it; after 5 s it is killed. */
  stop(clock: Clock): Promise<void>;
  /** Asks it to end and does not wait. */
  stopAtOnce(): void;
}

/**
 * Starts the writer, or takes over the one that an earlier demo in this directory left running.
 * @param directory holds the process id and the writer's own messages (`writer.pid`, `writer.log`).
 * @param program `ferry` itself, as Node runs it: app/main.ts, or the bundle in an image.
 */
export function startWriterProcess(directory: string, program: string, flags: WriterFlags): WriterProcess {
  mkdirSync(directory, { recursive: true });
  const pidFile = join(directory, 'writer.pid');
  const earlier = readPid(pidFile);
  if (earlier !== undefined && isWriter(earlier, flags.dir)) {
    return processHandle(earlier, true, pidFile, () => isWriter(earlier, flags.dir));
  }
  const log = openSync(join(directory, 'writer.log'), 'w');
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...process.execArgv, program, WRITER_COMMAND, ...flagWords(flags)], {
      stdio: ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  child.on('error', () => {
    ended = true;
  });
  if (child.pid === undefined) {
    throw new FerryError(
      'internal',
      `Cannot start ${process.execPath} for the writer.`,
      'Check the process limit (ulimit -u).',
    );
  }
  writeFileSync(pidFile, `${child.pid}\n`);
  return processHandle(child.pid, false, pidFile, () => !ended);
}

/** What the writer said last, e.g. why it ended; empty when it said nothing. */
export function lastWriterMessage(directory: string): string {
  try {
    return readFileSync(join(directory, 'writer.log'), 'utf8').trimEnd().split('\n').slice(-3).join('\n');
  } catch {
    return '';
  }
}

function processHandle(pid: number, found: boolean, pidFile: string, running: () => boolean): WriterProcess {
  const ask = (name: NodeJS.Signals) => {
    try {
      if (running()) process.kill(pid, name);
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  };
  const stopAtOnce = () => {
    ask('SIGTERM');
    rmSync(pidFile, { force: true });
  };
  // However Ferry ends, short of a kill, the writer does not go on without it.
  process.on('exit', stopAtOnce);
  return {
    pid,
    found,
    running,
    async stop(clock) {
      ask('SIGTERM');
      const untilMs = monotonicMs() + STOP_MS;
      while (running() && monotonicMs() < untilMs) await clock.sleep(STOP_LOOK_MS);
      ask('SIGKILL');
      rmSync(pidFile, { force: true });
      process.removeListener('exit', stopAtOnce);
    },
    stopAtOnce,
  };
}

function flagWords(flags: WriterFlags): string[] {
  const words: [string, string | undefined][] = [
    ['--dir', flags.dir],
    ['--manifest', flags.manifest],
    ['--rate', flags.rate],
    ['--size', flags.size],
    ['--burst', flags.burst],
    ['--burst-size', flags.burstSize],
    ['--pattern', flags.pattern],
    ['--seed', flags.seed],
  ];
  return words.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Process ids are used again: it is ours only if its command line says so. Without /proc (macOS) it is not taken over. */
function isWriter(pid: number, dataDirectory: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(WRITER_COMMAND) && words.includes(dataDirectory);
  } catch {
    return false;
  }
}
