// kubectl as a function: words in, text or objects out; and commands that run on until the test ends them.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { until } from '../support/temp.ts';

/** What kubectl answered; `exit` 0 is success. */
export interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LONGEST_ANSWER_BYTES = 256 * 2 ** 20;
const DEADLINE_MS = 300_000;
/** What an API server on a busy machine, or the way to it, says to a request that it did not take. */
const NOT_NOW =
  /TLS handshake timeout|connection (refused|reset)|i\/o timeout|etcdserver: |deadline exceeded|too many requests|unexpected EOF|currently unable|did not complete|connection lost/i;
/** Asked twice they do the same; what is executed this way here only reads. */
const REPEATABLE = new Set(['apply', 'config', 'exec', 'get', 'logs', 'patch', 'rollout', 'scale', 'wait']);
const REPEAT_FOR_MS = 60_000;
const PAUSE_MS = 1_000;

/** Runs kubectl to its end, whatever it is. */
export function tryKubectl(words: readonly string[], input?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { maxBuffer: LONGEST_ANSWER_BYTES, timeout: DEADLINE_MS };
    const child = execFile('kubectl', words, options, (error, stdout, stderr) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exit, stdout, stderr: exit === -1 ? `${stderr}${error?.message}` : stderr });
    });
    child.stdin?.end(input ?? '');
  });
}

/** Its stdout. Asks again where the server did not take it; rejects with what kubectl said when it failed. */
export async function kubectl(words: readonly string[], input?: string): Promise<string> {
  const verb = words[0] === '-n' ? words[2] : words[0];
  let { exit, stdout, stderr } = await tryKubectl(words, input);
  const refused = (): boolean => exit > 0 && REPEATABLE.has(verb ?? '') && NOT_NOW.test(stderr);
  const taken = async (): Promise<boolean> => {
    if (refused()) ({ exit, stdout, stderr } = await tryKubectl(words, input));
    return !refused();
  };
  // What kubectl said last is told below, in its own words.
  await until(taken, 'the API server takes it', REPEAT_FOR_MS, PAUSE_MS).catch(() => {});
  if (exit === 0) return stdout;
  throw new Error(`kubectl ${words.join(' ').slice(0, 400)} failed (${exit}): ${stderr.slice(-2_000)}`);
}

/** What it prints with `-o json`. */
export async function kubectlJson(words: readonly string[]): Promise<unknown> {
  return JSON.parse(await kubectl([...words, '-o', 'json']));
}

export interface Running {
  readonly child: ChildProcess;
  /** All it has printed so far. */
  output(): string;
  /** Ends it, and waits until it has. */
  stop(): Promise<void>;
}

/** Starts a kubectl that runs on (`logs --follow`, `port-forward`); ended after the test at latest. */
export function startKubectl(t: Pick<TestContext, 'after'>, words: readonly string[]): Running {
  const child = spawn('kubectl', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  t.after(stop);
  return { child, output: () => output, stop };
}
