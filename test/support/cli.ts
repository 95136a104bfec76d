// Runs `ferry` as a user does: a process of its own, with an environment that holds nothing but what the test gives it.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'app/main.ts');

/** What a process gets that runs the TypeScript: the modules as compiled before, for a third of its start. */
export const COMPILED: Readonly<Record<string, string>> = process.env.NODE_COMPILE_CACHE
  ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  : {};

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Killed after this time; 60 s by default. */
  readonly timeoutMs?: number;
}

export interface CliResult {
  /** Null when it was killed by a signal. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `ferry` and hands out the running process with a promise of how it ends. */
export function startFerry(
  words: readonly string[],
  options: CliOptions = {},
): { child: ChildProcess; ended: Promise<CliResult> } {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', NO_COLOR: '1', ...COMPILED, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  return { child, ended: collect(child).ended };
}

/** Gathers what a process writes, and how it ends. */
export function collect(child: ChildProcessByStdio<null, Readable, Readable>): {
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<CliResult>;
} {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve({ exit, signal, ...output }));
  });
  return { output, ended };
}

/** Runs `ferry` to its end. */
export function ferry(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startFerry(words, options).ended;
}
