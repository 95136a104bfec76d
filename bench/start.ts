// From the start of `ferry files` until it says it is ready: what a pod's writer waits for.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Measured } from './measure.ts';

const ASK_EVERY_MS = 5;
const GIVE_UP_MS = 30_000;
const TICK_MS = 10;

/** Costs up to the first 200 of /readyz; `exit` is how it ended after SIGTERM. */
export async function measureStart(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  const address = `127.0.0.1:${await freePort()}`;
  const [program = '', ...rest] = [...words, '--listen', address];
  const startedMs = performance.now();
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-4_000);
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  while (!(await isReady(address))) {
    if (child.exitCode !== null || performance.now() - startedMs > GIVE_UP_MS) {
      child.kill('SIGKILL');
      throw new Error(`Ferry was not ready within ${GIVE_UP_MS} ms: ${output}`);
    }
    await wait(ASK_EVERY_MS);
  }
  const wallMs = performance.now() - startedMs;
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024;
  child.kill('SIGTERM');
  return {
    userMs: Number(fields[11]) * TICK_MS,
    systemMs: Number(fields[12]) * TICK_MS,
    wallMs,
    peakRssBytes: bytes('VmHWM'),
    peakAnonBytes: bytes('RssAnon'),
    exit: await ended,
    output,
  };
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/readyz`);
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No TCP port is free.');
  return address.port;
}
