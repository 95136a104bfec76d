// What a program costs for a while of its life: from when it has started up, for so long, until it is told to stop.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Measured } from './measure.ts';

const TICK_MS = 10;
const KIB = 1_024;
const LOOK_EVERY_MS = 1_000;
const OUTPUT_KEPT = 4_000;

export interface While {
  /** Before the window opens: what a start costs is another case's. */
  readonly leadMs: number;
  readonly windowMs: number;
  /** Called when the window opens; what it answers is called when it closes. */
  readonly during?: () => () => void;
}

export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

export function start(words: readonly string[], env: Readonly<Record<string, string>>): Started {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_KEPT);
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { child, output: () => output, ended };
}

/** CPU and time of the window alone; memory is the peak from the start to the window's end. */
export async function measureWhile(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  { leadMs, windowMs, during }: While,
): Promise<Measured> {
  const { child, output, ended } = start(words, env);
  const pid = child.pid ?? 0;
  try {
    await wait(leadMs);
    const before = usageOf(pid);
    const startedMs = performance.now();
    const close = during?.();
    let peakAnonBytes = 0;
    while (performance.now() - startedMs < windowMs) {
      peakAnonBytes = Math.max(peakAnonBytes, usageOf(pid).anonBytes);
      await wait(LOOK_EVERY_MS);
    }
    const after = usageOf(pid);
    const wallMs = performance.now() - startedMs;
    close?.();
    child.kill('SIGTERM');
    const userMs = after.userMs - before.userMs;
    const systemMs = after.systemMs - before.systemMs;
    const { peakRssBytes } = after;
    const exit = await ended;
    return { userMs, systemMs, wallMs, peakRssBytes, peakAnonBytes, exit, output: output() };
  } catch (error) {
    child.kill('SIGKILL');
    const exit = await ended;
    throw new Error(`The program ended with ${exit ?? 'a signal'} while it was measured: ${output()}`, {
      cause: error,
    });
  }
}

/** Of a process that runs, since its start: proc(5). Memory is its peak, anonymous memory as of now. */
export function usageOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
  return {
    userMs: Number(fields[11]) * TICK_MS,
    systemMs: Number(fields[12]) * TICK_MS,
    peakRssBytes: bytes('VmHWM'),
    anonBytes: bytes('RssAnon'),
  };
}
