// Runs one program and says what it cost by the kernel's own accounting: CPU of it and its children, peak memory.
//
// GNU time reports wait4's figures and costs nothing while the program runs. Where it is not installed a shell reads
// its own /proc/PID/stat after the program ended: the same CPU figures in ticks of 10 ms; memory is then VmHWM as last
// seen. Anonymous memory has no high-water mark in the kernel: it is the highest of looks every 50 ms.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Cost {
  readonly userMs: number;
  readonly systemMs: number;
  readonly wallMs: number;
  readonly peakRssBytes: number;
  /** Without file pages such as the program's own code; undefined where the program was too short to be looked at. */
  readonly peakAnonBytes: number | undefined;
}

export interface Measured extends Cost {
  readonly exit: number | null;
  /** The last of what it wrote. */
  readonly output: string;
}

/** How the kernel's figures are obtained here; named in the report. */
export type Accounting = 'GNU time' | 'shell and /proc';

const LOOK_EVERY_MS = 50;
const OUTPUT_KEPT = 4_000;
const TICK_MS = 10;
const KIB = 1_024;
const SHELL = '"$@"; code=$?; cat "/proc/$$/stat" >"$BENCH_USAGE"; exit "$code"';

export function findAccounting(): Accounting {
  const answer = spawnSync('/usr/bin/time', ['--version'], { encoding: 'utf8' });
  return /GNU/.test(`${answer.stdout}${answer.stderr}`) ? 'GNU time' : 'shell and /proc';
}

/**
 * Rejects only when the program cannot be started at all; a failure is in `exit`.
 * @param scratch a directory for the figures
 */
export async function measure(
  command: readonly string[],
  options: { env: Readonly<Record<string, string>>; scratch: string; accounting: Accounting },
): Promise<Measured> {
  const usageFile = join(options.scratch, 'usage');
  rmSync(usageFile, { force: true });
  const wrapper =
    options.accounting === 'GNU time'
      ? ['/usr/bin/time', '-q', '-f', '%U %S %M', '-o', usageFile]
      : ['/bin/sh', '-c', SHELL, 'sh'];
  const [program = '', ...words] = [...wrapper, ...command];
  const startedMs = performance.now();
  const child = spawn(program, words, {
    env: { ...options.env, BENCH_USAGE: usageFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_KEPT);
    });
  }
  const memory = watchMemory(child.pid ?? 0);
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(memory.stop);
  const wallMs = performance.now() - startedMs;
  const usage = readFileSync(usageFile, 'utf8');
  const figures = options.accounting === 'GNU time' ? parseGnuTime(usage) : parseStat(usage);
  return {
    userMs: figures.userMs,
    systemMs: figures.systemMs,
    wallMs,
    peakRssBytes: figures.peakRssBytes ?? memory.peakRssBytes(),
    peakAnonBytes: memory.peakAnonBytes(),
    exit,
    output,
  };
}

interface Figures {
  readonly userMs: number;
  readonly systemMs: number;
  readonly peakRssBytes: number | undefined;
}

function parseGnuTime(text: string): Figures {
  const [user, system, rssKib] = text.trim().split(/\s+/).slice(-3).map(Number);
  if (user === undefined || system === undefined || rssKib === undefined || Number.isNaN(rssKib)) {
    throw new Error(`GNU time wrote no figures but: ${text.slice(0, 200)}`);
  }
  return { userMs: user * 1_000, systemMs: system * 1_000, peakRssBytes: rssKib * KIB };
}

/** proc(5): cutime and cstime, of children that were waited for, are the fields 16 and 17. */
export function parseStat(text: string): Figures {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const userMs = Number(fields[13]) * TICK_MS;
  const systemMs = Number(fields[14]) * TICK_MS;
  if (Number.isNaN(userMs + systemMs))
    throw new Error(`/proc/PID/stat is not as expected: ${text.slice(0, 200)}`);
  return { userMs, systemMs, peakRssBytes: undefined };
}

/** Looks at the program that the wrapper started. */
function watchMemory(wrapperPid: number) {
  let rss = 0;
  let anon: number | undefined;
  const look = (): void => {
    try {
      const [pid] = readFileSync(`/proc/${wrapperPid}/task/${wrapperPid}/children`, 'utf8').split(' ');
      if (!pid) return;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      rss = Math.max(rss, kib(status, 'VmHWM'));
      anon = Math.max(anon ?? 0, kib(status, 'RssAnon'));
    } catch {
      // It has just ended, or this kernel does not show it.
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop: () => clearInterval(timer),
    peakRssBytes: () => rss,
    peakAnonBytes: () => anon,
  };
}

function kib(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
}
